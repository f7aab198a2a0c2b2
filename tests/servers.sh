# shellcheck shell=bash
# Sourced by the scripts that start servers; all of them, and the directory `scratch`, go when the script ends.

servers=()
# shellcheck disable=SC2154 # whoever sources this has made the directory
finish() {
  for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$scratch"
}
trap finish EXIT

# start NAME COMMAND...: runs a server in the background and puts its URL into the variable `url`.
start() {
  local name=$1
  shift
  "$@" --url-file "$scratch/$name.url" >"$scratch/$name.log" 2>&1 &
  local pid=$!
  servers+=("$pid")
  until [ -s "$scratch/$name.url" ]; do
    if ! kill -0 "$pid" 2>/dev/null; then
      echo "the $name server did not start:" >&2
      cat "$scratch/$name.log" >&2
      exit 1
    fi
    sleep 0.1
  done
  # shellcheck disable=SC2034 # for whoever has called
  url=$(cat "$scratch/$name.url")
}

# start_test_servers: the real server and the fault server, told to the tests by the variables TPS_TEST_…
start_test_servers() {
  start knox tests/knox/serve
  export TPS_TEST_SERVER=$url
  tests/certificates.sh "$scratch"
  start faults python3 tests/faults/server.py --certificate "$scratch"/{server,expired,self}.pem --tls-url-file "$scratch/tls.url"
  { read -r TPS_TEST_TLS; read -r TPS_TEST_TLS_EXPIRED; read -r TPS_TEST_TLS_SELF; } < <(cat "$scratch/tls.url"; echo)
  export TPS_TEST_FAULTS=$url TPS_TEST_TLS TPS_TEST_TLS_EXPIRED TPS_TEST_TLS_SELF TPS_TEST_CA=$scratch/ca.pem
}
