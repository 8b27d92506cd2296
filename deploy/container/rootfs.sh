#!/bin/sh
# Puts together all that the image holds: Node.js, the program, its native module, and the C library that they are linked
# with. From a checkout after `npm ci`, so everything but the C library is what package-lock.json pins.
#   deploy/container/rootfs.sh FOLDER
# FOLDER/rootfs belongs to root in the image, FOLDER/owned to the user that the node runs as.
set -eu
[ $# -eq 1 ] || { echo 'expected one folder that is not there yet: rootfs.sh FOLDER' >&2; exit 2; }
out=$1/rootfs
[ ! -e "$1" ] || { echo "expected a folder that is not there yet, got $1: remove it" >&2; exit 1; }
here=$(cd "$(dirname "$0")/../.." && pwd)
sqlite=node_modules/better-sqlite3
addon=$here/$sqlite/prebuilds/linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/').node

mkdir -p "$out/bin" "$out/app/$sqlite/prebuilds" "$out/dev" "$out/proc" "$out/tmp"
install -d -m 700 "$1/owned/data"
# There is no shell and no `env`, so the program begins with its interpreter.
printf "#!/bin/node\nimport('/app/dist/main.js');\n" > "$out/bin/stigmem-peerd"
chmod 755 "$out/bin/stigmem-peerd"
cp "$here/node_modules/node/bin/node" "$out/bin/node"
cp -R "$here/dist" "$here/package.json" "$out/app/"
cp -R "$here/$sqlite/package.json" "$here/$sqlite/lib" "$out/app/$sqlite/"
cp "$addon" "$out/app/$sqlite/prebuilds/"
for file in "$out/bin/node" "$addon"; do
  ldd "$file" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p'
done | sort -u | while read -r library; do
  mkdir -p "$out$(dirname "$library")"
  cp -L "$library" "$out$library"
done
