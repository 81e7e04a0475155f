# SPDX-License-Identifier: GPL-2.0-or-later
"""A systemd as pid 1 of its own namespaces, over a copy-on-write root: what it starts and what is
installed there is real, and disappears with it. The network is the host's."""
import os
import subprocess
import tempfile
import time

import lib

# Nothing of this host's units is started: only what a test asks for.
BOOT = r'''
set -e
work=$1 shown=$2 old=$3 root=$1/root
mount --make-rprivate /
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/spare" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/spare" "$root"
mount -t proc proc "$root/proc"
mount -o bind /proc/sys "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
umount -R "$root/sys/fs/cgroup"
[ -e "$root/sys/kernel/tracing/events" ] || mount -t tracefs tracefs "$root/sys/kernel/tracing"
if [ -z "$old" ]; then
	mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
	mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
	mkdir "$root/sys/fs/cgroup/unified" "$root/sys/fs/cgroup/systemd"
	mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/unified"
	mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
	for c in $old; do
		mkdir "$root/sys/fs/cgroup/$c"
		mount -t cgroup -o "$c" cgroup "$root/sys/fs/cgroup/$c"
	done
fi
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount --rbind "$shown" "$root/mnt"
rm -rf "$root"/lib/systemd/system/*.wants "$root"/etc/systemd/system/*.wants \
	"$root/lib/systemd/system-generators" "$root/usr/sbin/policy-rc.d" "$root/etc/fstab"
printf '[Unit]\nDescription=nothing\n' > "$root/etc/systemd/system/default.target"
cd "$root"
exec chroot "$root" env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	/lib/systemd/systemd --log-target=console --show-status=no
'''


CGROUP = '/sys/fs/cgroup'


def old_controllers():
    """Those of version 1, each in a hierarchy of its own, in which systemd makes groups."""
    return [c for c in ('cpu', 'cpuacct', 'memory', 'devices', 'pids', 'blkio')
            if os.path.exists('%s/%s/cgroup.procs' % (CGROUP, c))]


def own_groups():
    """New cgroups: of version 2 first, then of each old hierarchy; none without version 2."""
    groups = []
    for root in CGROUP + '/unified', CGROUP:
        if os.path.exists(root + '/cgroup.procs') and os.path.exists(root + '/cgroup.controllers'):
            groups = [root] + [CGROUP + '/' + c for c in old_controllers() + ['systemd']
                               if os.path.exists('%s/%s/cgroup.procs' % (CGROUP, c))]
            break
    groups = ['%s/ottop-test-%d' % (root, os.getpid()) for root in groups]
    for group in groups:
        os.mkdir(group)
    return groups


class Systemd:
    """shown: a folder of the host, as /mnt in there. `.failed`: why it did not start."""

    def __init__(self, shown):
        self.folder, self.pid, self.outer, self.failed = tempfile.TemporaryDirectory(), None, None, None
        self.log = open(os.path.join(self.folder.name, 'log'), 'w+')
        self.groups = own_groups() if os.path.exists('/lib/systemd/systemd') else []
        if not self.groups:
            self.failed = 'no systemd or no cgroup 2 here'
            return
        os.mkdir(self.folder.name + '/work')
        self.outer = subprocess.Popen(
            ['unshare', '--mount', '--pid', '--uts', '--ipc', '--cgroup', '--fork', '--kill-child',
             'sh', '-c', BOOT, 'boot', self.folder.name + '/work', shown,
             ' '.join(old_controllers())],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, preexec_fn=self.enter)
        if not self.comes():
            self.log.seek(0)
            self.failed = 'systemd does not come here: ' + self.log.read()[-300:].replace('\n', '; ')

    def enter(self):
        lib.die_with_us()
        for group in self.groups:
            with open(group + '/cgroup.procs', 'w') as f:
                f.write(str(os.getpid()))

    def comes(self):
        for _ in range(600):
            if self.outer.poll() is not None:
                return False
            child = subprocess.run(['pgrep', '-P', str(self.outer.pid)], capture_output=True, text=True).stdout.split()
            if child and os.readlink('/proc/%s/exe' % child[0]).endswith('/systemd'):
                self.pid = child[0]
                if self.run('systemctl', 'is-system-running').stdout.strip() == 'running':
                    return True
            time.sleep(0.1)
        return False

    def run(self, *argv):
        """Runs a program in there."""
        return subprocess.run(['nsenter', '-t', self.pid, '-m', '-p', '-u', '-i', '-C', '-r', '-w',
                               'env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', *argv],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)

    def show(self, unit, *names):
        """Properties of a unit, as a dictionary."""
        out = self.run('systemctl', 'show', unit, '-p', ','.join(names)).stdout
        return dict(line.split('=', 1) for line in out.splitlines())

    def read(self, path):
        """Reads a file in there."""
        return self.run('cat', path).stdout

    def close(self):
        if self.outer:
            if self.pid:
                os.kill(int(self.pid), 9)
            else:
                self.outer.kill()
            self.outer.wait()
            for folder in (f for g in self.groups for f, _, _ in os.walk(g, topdown=False)):
                for _ in range(100):
                    try:
                        os.rmdir(folder)
                        break
                    except OSError:     # its processes are still leaving
                        time.sleep(0.05)
        self.log.close()
        self.folder.cleanup()
