#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# deb.sh BUILD: a Debian package of BUILD/ottop, BUILD/ottop_VERSION_ARCH.deb. The service is
# installed but not enabled: what leaves a host is for its owner to say.
set -eu
umask 022
build=$1
root=$build/deb
version=$("$build"/ottop --version | sed 's/^ottop //')
arch=$(dpkg --print-architecture)
doc=$root/usr/share/doc/ottop
date=$(LC_ALL=C date -R -d "@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}")

rm -rf "$root"
mkdir -p "$root/DEBIAN"
make --no-print-directory -s install BUILD="$build" DESTDIR="$root" PREFIX=/usr SYSCONFDIR=/etc
strip --strip-unneeded "$root/usr/sbin/ottop"
gzip -9n "$root/usr/share/man/man8/ottop.8"
mkdir -p "$root/usr/share/zsh/vendor-completions"
mv "$root/usr/share/zsh/site-functions/_ottop" "$root/usr/share/zsh/vendor-completions/"
rmdir "$root/usr/share/zsh/site-functions"
rm -f "$doc/LICENSE"

printf 'ottop (%s) unstable; urgency=medium\n\n  * As built from its source.\n\n -- ottop developers <ottop@localhost.localdomain>  %s\n' \
	"$version" "$date" | gzip -9n > "$doc/changelog.gz"
cat > "$doc/copyright" <<END
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: ottop

Files: *
Copyright: $(date -d "$date" +%Y) ottop developers
License: GPL-2+
 On Debian systems the full text is in /usr/share/common-licenses/GPL-2.

Files: bpf/collectors/*.bpf.c
Copyright: $(date -d "$date" +%Y) ottop developers
License: GPL-2 or BSD-2-Clause
 The programs that run in the kernel. On Debian systems the full text of the first is in
 /usr/share/common-licenses/GPL-2.
END

# dpkg-shlibdeps reads debian/control of a source package: an empty one will do.
mkdir -p "$build/deb-source/debian"
: > "$build/deb-source/debian/control"
depends=$(cd "$build/deb-source" && dpkg-shlibdeps -O "../deb/usr/sbin/ottop" 2>/dev/null |
	sed 's/^shlibs:Depends=//')
cat > "$root/DEBIAN/control" <<END
Package: ottop
Version: $version
Architecture: $arch
Maintainer: ottop developers <ottop@localhost.localdomain>
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Depends: $depends
Recommends: libcurl4
Section: admin
Priority: optional
Description: live observability of a Linux host in a terminal
 Shows processes, flame graphs, connections, HTTP and gRPC latencies and
 system calls of a host as they happen, from eBPF, without touching the
 programs that are looked at. The same data leaves as JSON, pprof, recordings
 and OTLP: ottop.service (not enabled) sends it to an OpenTelemetry Collector.
END
mkdir -p "$root/usr/share/lintian/overrides"
echo 'ottop: non-standard-file-perm 0640 != 0644 [etc/ottop/ottop.conf]' > "$root/usr/share/lintian/overrides/ottop"	# it may have a password
echo /etc/ottop/ottop.conf > "$root/DEBIAN/conffiles"
cat > "$root/DEBIAN/postinst" <<'END'
#!/bin/sh
set -e
if [ "$1" = configure ] && [ -d /run/systemd/system ]; then
	systemctl --system daemon-reload >/dev/null || true
	if [ -n "$2" ]; then
		deb-systemd-invoke try-restart ottop.service >/dev/null || true
	fi
fi
END
cat > "$root/DEBIAN/prerm" <<'END'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
	deb-systemd-invoke stop ottop.service >/dev/null || true
fi
END
cat > "$root/DEBIAN/postrm" <<'END'
#!/bin/sh
set -e
if [ "$1" = purge ] && command -v deb-systemd-helper >/dev/null; then
	deb-systemd-helper purge ottop.service >/dev/null || true
fi
if [ -d /run/systemd/system ]; then
	systemctl --system daemon-reload >/dev/null || true
fi
END
chmod 755 "$root/DEBIAN/postinst" "$root/DEBIAN/prerm" "$root/DEBIAN/postrm"
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum > DEBIAN/md5sums)
dpkg-deb --root-owner-group -Zxz --build "$root" "$build/ottop_${version}_$arch.deb"
