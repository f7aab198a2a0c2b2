# shellcheck shell=bash
# Sourced by the scripts that need another Debian than this one: makes a tree of it, and runs commands inside. Needs root.

# mirror LABEL: where this machine's apt has `Debian` or `Debian-Security` from.
mirror() {
  # shellcheck disable=SC2016 # apt's variables
  apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
    awk -v label="$1" '$1 == label && url == "" { url = $2 } END { if (url == "") exit 1; print url }'
}

# tree DIRECTORY SUITE OPTION...: a minimal Debian there; the options are mmdebstrap's.
tree() {
  local directory=$1 suite=$2 main security
  shift 2
  main=$(mirror Debian) security=$(mirror Debian-Security)
  mmdebstrap --quiet --variant=minbase "$@" "$suite" "$directory" "deb $main $suite main" "deb $security $suite-security main"
  # This machine may trust an authority that Debian does not, such as that of a proxy in front of a registry.
  if [ -d "$directory/usr/share/ca-certificates" ]; then
    install -D -m 0644 /etc/ssl/certs/ca-certificates.crt "$directory/etc/ssl/certs/ca-certificates.crt"
  fi
}

# inside DIRECTORY COMMAND...: runs it there as root, with this folder as /repository where the tree has one. What it mounts and starts is gone when it ends.
inside() {
  # shellcheck disable=SC2016 # the inner shell's variables
  unshare --mount --pid --fork --kill-child env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 sh -euc '
    directory=$1
    shift
    mount -t proc proc "$directory/proc"
    for name in dev sys; do mount --rbind "/$name" "$directory/$name"; done
    if [ -d "$directory/repository" ]; then mount --bind "$PWD" "$directory/repository"; fi
    exec chroot "$directory" "$@"' sh "$@"
}
