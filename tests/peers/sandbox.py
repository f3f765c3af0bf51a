"""A private copy of the machine for one mail server: own network (loopback only), own mounts, own process numbers, own name.

`run` starts a command in it; `furnish` is called by that command, inside, and lays the unpacked package over /usr, /etc and /var
(overlay mounts whose upper layer is memory), so that compiled-in paths and users are right and nothing outside changes.
Needs Linux, root, `unshare` (util-linux), `mount` and `ip`. When any of it is missing, the step raises and names the command.
"""
import os
import re
import socket
import subprocess
import sys
import threading
import time

USERS = {                      # compiled in, or needed for mailboxes; they exist inside the sandbox only
    "postfix": 901, "Debian-exim": 902, "opensmtpd": 903, "opensmtpq": 904, "newsletter": 911, "shop": 912, "desk": 913, "postdrop": 905,
}


def run(arguments):
    """Runs this program again inside a new sandbox; everything in it dies with it. Returns its exit code."""
    command = ["unshare", "--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc",
               sys.executable, *arguments]
    return subprocess.call(command)


def must(*command):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def furnish(package_root, scratch, host, name_server):
    """Lays `package_root` over the system folders and gives the sandbox its host name, resolver and users."""
    socket.sethostname(host)
    must("mount", "--make-rprivate", "/")
    must("ip", "link", "set", "lo", "up")
    # Where our server listens to outsiders; some servers take configured interfaces only.
    must("ip", "address", "add", "127.44.0.1/8", "dev", "lo")
    must("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", scratch)
    for folder in ("usr", "etc", "var"):
        lower, upper, work = f"{package_root}/{folder}", f"{scratch}/{folder}-upper", f"{scratch}/{folder}-work"
        os.makedirs(lower, exist_ok=True)
        os.makedirs(upper)
        os.makedirs(work)
        must("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={lower}:/{folder},upperdir={upper},workdir={work}", f"/{folder}")
    must("mount", "-t", "tmpfs", "tmpfs", "/run")
    _devices(scratch)
    with open("/etc/passwd", "a", encoding="utf-8") as passwd, open("/etc/group", "a", encoding="utf-8") as group:
        for name, number in USERS.items():
            home = "/var/lib/opensmtpd/empty" if name.startswith("opensmtp") else f"/var/mail/{name}"
            passwd.write(f"{name}:x:{number}:{number}::{home}:/usr/sbin/nologin\n")
            group.write(f"{name}:x:{number}:\n")
    _write("/etc/resolv.conf", f"nameserver {name_server}\noptions timeout:1 attempts:1\n")
    _write("/etc/hosts", f"127.0.0.1 localhost\n127.0.0.1 {host}\n")
    _write("/etc/mailname", host.split(".", 1)[1] + "\n")
    for name in ("newsletter", "shop", "desk"):
        os.makedirs(f"/var/mail/{name}", exist_ok=True)
        os.chown(f"/var/mail/{name}", USERS[name], USERS[name])
    os.environ.update(TZ="UTC", LC_ALL="C", PATH="/usr/sbin:/usr/bin:/sbin:/bin")


def _devices(scratch):
    """A /dev of its own, so that /dev/log can be ours."""
    new = f"{scratch}/dev"
    os.makedirs(new)
    for name in ("null", "zero", "random", "urandom", "full", "tty"):
        open(f"{new}/{name}", "w").close()
        must("mount", "--bind", f"/dev/{name}", f"{new}/{name}")
    must("mount", "--rbind", new, "/dev")


def receive_syslog(path, host):
    """Takes /dev/log and writes lines as a syslog daemon does: time, host, program. Lives as long as the process."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind("/dev/log")
    os.chmod("/dev/log", 0o666)

    def loop():
        while True:
            text = re.sub(r"^<\d+>", "", sock.recv(65536).decode("utf-8", "replace").rstrip("\0\n"))
            # The sender's stamp is in its own zone, which inside its chroot need not be ours.
            rest = re.sub(r"^\w{3} [ \d]\d [\d:]{8} ", "", text)
            with open(path, "a", encoding="utf-8") as f:
                f.write(f"{time.strftime('%b %e %H:%M:%S', time.gmtime())} {host} {rest}\n")
    threading.Thread(target=loop, daemon=True).start()


def _write(path, text):
    # The file may be a mount or a link of the machine; inside, it becomes a plain one.
    if os.path.islink(path):
        os.unlink(path)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
