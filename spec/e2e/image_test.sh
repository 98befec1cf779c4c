#!/bin/bash
# The container images, as TAP: what is in them, and that their programs do a run on apisim. Needs
# root, buildah and debootstrap: the base image is made here, so that no registry is needed, and kept
# in the cache. Without them everything is skipped.
set -u
cd "$(dirname "$0")/../.." || exit 1
skip() {
	echo "1..0 # SKIP $1"
	exit 0
}
[ "$(id -u)" = 0 ] || skip "expected root, to change the root folder"
for program in buildah debootstrap; do
	command -v $program > /dev/null || skip "$program is not installed"
done
E2E_SERVER=apisim
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh
images=$(mktemp -d /var/tmp/images.XXXXXX) # not in /tmp: podrunner's pods have one of their own
chmod 755 "$images"
trap 'cluster_down; rm -rf "$images"' EXIT
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kserve-controller
base=$cache/debian-12.tar
version=$(cat VERSION)

# ---- building ----

export CONTAINERS_STORAGE_CONF=$work/storage.conf BUILDAH_ISOLATION=chroot IMAGE_ENGINE=buildah \
	BASE=localhost/base:12 REPOSITORY=localhost/test

# Where overlay file systems cannot be stacked, whole copies do.
storage() {
	local driver
	for driver in overlay vfs; do
		printf '[storage]\ndriver = "%s"\ngraphroot = "%s"\nrunroot = "%s"\n' \
			$driver "$work/storage" "$work/storage-run" > "$CONTAINERS_STORAGE_CONF"
		buildah info && return
	done
	return 1
}

make_base() {
	mkdir -p "$cache" &&
		debootstrap --variant=minbase bookworm "$work/debian" &&
		tar -C "$work/debian" --exclude='./proc/*' --exclude='./sys/*' --exclude='./dev/*' \
			--exclude='./var/cache/apt/*' -cf "$base.$$" . &&
		mv "$base.$$" "$base"
}

import_base() {
	local container
	container=$(buildah from scratch) &&
		buildah add -q "$container" "$base" / &&
		buildah commit -q --rm "$container" "$BASE"
}

# unpack NAME: the image's files, in $images/NAME
unpack() {
	local container folder
	container=$(buildah from --pull-never "localhost/test/$1:$version") &&
		folder=$(buildah mount "$container") &&
		cp -a "$folder" "$images/$1" &&
		buildah rm "$container"
}

check "buildah has a place for images" storage
[ -s "$base" ] || check "debootstrap makes a base image" make_base
check "the base image" import_base
check "another name than controller and runner is refused" like 'image: shell: expected controller or runner' \
	refused spec/image shell
check "spec/image builds both and prints their names" like \
	"^localhost/test/kserve-krateo-runner:$version\$" spec/image
for name in kserve-controller kserve-krateo-runner; do
	check "$name has the version as its tag" unpack $name
done

# ---- what is in them ----

config_of() {
	buildah inspect --type image "localhost/test/$1:$version" | jq -r ".OCIv1.config | $2"
}
small() {
	[ "$(du -sb "$1" | cut -f1)" -le 25000000 ] || { du -sb "$1"; return 1; }
}
programs_in() {
	(cd "$1" && find . -type f -perm /111 ! -name '*.so*')
}
outside_libraries() {
	(cd "$1" && find . -type f -name '*.so*' ! -path './lib*' ! -path './usr/lib*')
}
risky() {
	(cd "$1" && find . ! -type l \( -perm /6000 -o -perm /2 ! -perm /1000 \))
}
known_packages() {
	(cd "$1/var/lib/dpkg/status.d" && grep -l '^Version: ' -- *) > "$work/packages" &&
		grep -qx libc6 "$work/packages" && grep -qx libssl3 "$work/packages" &&
		while read -r package; do [ -s "$1/usr/share/doc/$package/copyright" ] || return 1; done < "$work/packages"
}
# as_nonroot NAME PROGRAM...
as_nonroot() {
	chroot --userspec=65532:65532 "$images/$1" "${@:2}"
}
for image in kserve-controller=kserve-controller kserve-krateo-runner=kserve-runner; do
	name=${image%=*} program=${image#*=}
	check "$name: at most 25 MB" small "$images/$name"
	check "$name: runs as 65532" is 65532:65532 config_of "$name" .User
	check "$name: is of this version" is "$version" config_of "$name" '.Labels["org.opencontainers.image.version"]'
	check "$name: starts the program" is "[\"/usr/local/bin/$program\"]" config_of "$name" '.Entrypoint | tojson'
	check "$name: no other program is in it, no shell, no compiler" \
		is "./usr/local/bin/$program" programs_in "$images/$name"
	check "$name: libraries are where the loader looks" is '' outside_libraries "$images/$name"
	check "$name: no setuid file, nothing that all may write" is '' risky "$images/$name"
	check "$name: /tmp is there" is 1777 stat -c %a "$images/$name/tmp"
	check "$name: certificates are there" grep -q 'BEGIN CERTIFICATE' "$images/$name/etc/ssl/certs/ca-certificates.crt"
	check "$name: packages and licenses are told" known_packages "$images/$name"
	check "$name: $program --version runs as 65532" \
		is "$program $version" as_nonroot "$name" "/usr/local/bin/$program" --version
	check "$name: /bin/sh does not" like 'No such file' refused as_nonroot "$name" /bin/sh -c true
done

# ---- a run with the programs of the images ----

# What cluster.sh starts as the controller: the image as its root folder, read-only, as 65532.
mkdir "$work/bin"
ln -s "$(realpath "$BUILD")"/* "$work/bin"
rm "$work/bin/kserve-controller" "$work/bin/kserve-runner"
cat > "$work/bin/kserve-controller" <<-END
	#!/bin/sh
	root=$images/kserve-controller
	mkdir -p "\$root/proc" "\$root/dev" && cp /etc/hosts "\$root/etc" &&
		sed s/127.0.0.1/localhost/ "\$2" > "\$root/etc/kubeconfig" || exit 1
	export KUBECONFIG=/etc/kubeconfig
	shift 2 # --kubeconfig FILE, which is elsewhere inside
	exec unshare --mount sh -c '
		mount --bind "\$0" "\$0" && mount --rbind /proc "\$0/proc" && mount --rbind /dev "\$0/dev" &&
			mount -o remount,bind,ro "\$0" &&
			exec chroot --userspec=65532:65532 "\$0" /usr/local/bin/kserve-controller "\$@"' "\$root" "\$@"
END
# What podrunner starts for the runner's image: its program with the image's loader and libraries.
libraries=$(find "$images/kserve-krateo-runner" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
cat > "$work/bin/kserve-runner" <<-END
	#!/bin/sh
	exec $(echo "$images"/kserve-krateo-runner/lib*/ld-linux*.so.*) --library-path $libraries \
		$images/kserve-krateo-runner/usr/local/bin/kserve-runner "\$@"
END
chmod 755 "$work"/bin/kserve-{controller,runner}

BUILD=$work/bin
if ! { cluster_up && cluster_install; }; then exit 1; fi
localized examples/endpoint-secret.yaml |
	sed -e 's/placeholder-user/demo/' -e 's/placeholder-password/demo/' | k apply -f - > /dev/null
engine_start
check "the controller starts, on a read-only root folder" until_ok 10 engine_ready
policies_active() {
	k get configmap kserve-controller-policies \
		-o 'jsonpath={.metadata.annotations.ai\.krateo\.io/policy-status}' | grep '"state":"active"'
}
check "its policy worker takes the policies" until_ok 10 policies_active
apply_example() {
	local file
	for file in config run; do localized "examples/iris-$file.yaml" | k apply -f - || return 1; done
}
check "a config and a run" apply_example
check "succeed with the runner of the image" becomes Succeeded iris-run-january 30
rows_of() {
	curl -sf -u demo:demo "http://$handler/tables/$1" | jq '.rows | length'
}
check "and the rows are stored" is 150 rows_of kserve_controller_output
check "the controller ends with 0 on SIGTERM" engine_stop
plan
