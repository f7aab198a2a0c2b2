#!/usr/bin/env bash
# certificates.sh DIRECTORY: ca.pem, an authority of our own, and certificates for 127.0.0.1 and two.test with their keys:
# server.pem, expired.pem, and self.pem, which is signed by itself.
set -euo pipefail
cd "$1"
key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
names='subjectAltName=IP:127.0.0.1,DNS:two.test,DNS:slow.test'
openssl req -x509 "${key[@]}" -days 2 -subj "/CN=libtps test authority" -keyout ca.key -out ca.pem 2>/dev/null

# signed NAME DAYS: a certificate by the authority that is valid for so long from now.
signed() {
  openssl req "${key[@]}" -subj "/CN=127.0.0.1" -keyout "$1.key" -out "$1.csr" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days "$2" -out "$1.crt" \
    -extfile <(printf '%s\nbasicConstraints=CA:FALSE\n' "$names") 2>/dev/null
  cat "$1.crt" "$1.key" >"$1.pem"
}
signed server 2
# It has expired a second later. OpenSSL 3.5 makes none that ends before it begins.
signed expired 0
openssl req -x509 "${key[@]}" -days 2 -subj "/CN=127.0.0.1" -addext "$names" -keyout self.key -out self.crt 2>/dev/null
cat self.crt self.key >self.pem
