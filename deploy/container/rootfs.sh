#!/bin/sh
# Puts together all that the image holds: Node.js, the program, its native module, and the C library that they are linked
# with. From a checkout after `npm ci`, so everything but the C library is what package-lock.json pins.
#   deploy/container/rootfs.sh FOLDER
set -eu
out=$1
here=$(cd "$(dirname "$0")/../.." && pwd)
sqlite=node_modules/better-sqlite3
addon=$here/$sqlite/prebuilds/linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/').node

mkdir -p "$out/bin" "$out/app/$sqlite/prebuilds" "$out/data" "$out/dev" "$out/proc" "$out/tmp"
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
