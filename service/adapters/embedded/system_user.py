"""As whom PostgreSQL runs, and what that user must be able to reach.

An ordinary user runs it as itself. Root cannot: PostgreSQL refuses. So root runs it as whoever owns the cluster,
at first the system user ``triptych-postgres``, made when it is needed.

That user must be able to pass through the folders above the data and the binaries (``/root`` is closed on most
machines). It alone is given the right to pass through (an ACL entry: search, not list, not read); where
the file system knows no ACLs, the folder's "others may pass through" bit is set instead. Both are logged.
"""

from __future__ import annotations

import errno
import os
import pwd
import shutil
import stat
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import structlog

from service.adapters.embedded.errors import DataFolderNotOurs, EmbeddedPostgresFailed

_log = structlog.get_logger(__name__)

SYSTEM_USER = "triptych-postgres"
_USERADD_ATTEMPTS = 50
_USERADD_NAME_IN_USE = 9

# The kernel's form of an ACL (linux/posix_acl_xattr.h): a version, then (tag, permissions, id) entries.
_ACL_ATTRIBUTE = "system.posix_acl_access"
_ACL_VERSION = 2
_OWNER, _USER, _GROUP_OWNER, _GROUP, _MASK, _OTHERS = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_NO_ID = 0xFFFFFFFF
_SEARCH = 0o1


class SystemUser(NamedTuple):
    """Whom the server's programs run as. ``switch`` says that this process must change to it."""

    uid: int
    gid: int
    switch: bool


def user_for(cluster: Path) -> SystemUser:
    """Who runs the cluster in that folder, which need not exist yet. Raises DataFolderNotOurs."""
    ours = os.geteuid()
    found = cluster.stat() if cluster.exists() else None
    if ours != 0:
        if found is not None and found.st_uid != ours:
            raise DataFolderNotOurs(cluster, found.st_uid, ours)
        return SystemUser(ours, os.getegid(), switch=False)
    if found is not None:
        if found.st_uid == 0:
            raise DataFolderNotOurs(cluster, 0, ours)
        return SystemUser(found.st_uid, found.st_gid, switch=True)
    entry = _system_user()
    return SystemUser(entry.pw_uid, entry.pw_gid, switch=True)


def _system_user() -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    doing = f"making the system user {SYSTEM_USER} (PostgreSQL refuses to run as root)"
    for _ in range(_USERADD_ATTEMPTS):
        try:
            return pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            if useradd is None:
                raise EmbeddedPostgresFailed(doing, "there is no useradd on this machine") from None
        made = subprocess.run(
            [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        if made.returncode not in (0, _USERADD_NAME_IN_USE):
            if "lock" not in made.stderr:
                break
            time.sleep(0.1)  # another process is changing the user database
    raise EmbeddedPostgresFailed(doing, made.stderr)


def let_pass(user: SystemUser, target: Path) -> None:
    """Makes sure that ``user`` can pass through every folder above ``target``."""
    for folder in target.resolve().parents:
        status = folder.stat()
        if status.st_mode & stat.S_IXOTH or (status.st_uid == user.uid and status.st_mode & stat.S_IXUSR):
            continue
        if not _grant_search(folder, user.uid):
            folder.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXOTH)
            _log.warning("folder_opened_to_pass_through", folder=str(folder), to="others")


def let_read_all(user: SystemUser, tree: Path) -> None:
    """Lets everyone read the (public) files of an installation that a strict umask closed."""
    if not user.switch or all(path.stat().st_mode & stat.S_IROTH for path in tree.iterdir()):
        return
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def _grant_search(folder: Path, uid: int) -> bool:
    """Adds "may pass through" for one user; False where there are no ACLs."""
    if not hasattr(os, "setxattr"):
        return False
    entries = list(_entries(folder))
    # A chmod of such a folder changes the mask, and with it what the entry is worth.
    mask = next((permissions for tag, permissions, _ in entries if tag == _MASK), 0)
    if any(tag == _USER and ident == uid and permissions & mask & _SEARCH for tag, permissions, ident in entries):
        return True
    kept = [each for each in entries if each[0] != _MASK and (each[0], each[2]) != (_USER, uid)]
    kept.append((_USER, _SEARCH, uid))
    mask = 0
    for tag, permissions, _ in kept:
        if tag in (_USER, _GROUP_OWNER, _GROUP):
            mask |= permissions
    kept.append((_MASK, mask, _NO_ID))
    packed = struct.pack("<I", _ACL_VERSION) + b"".join(struct.pack("<HHI", *each) for each in sorted(kept))
    try:
        os.setxattr(folder, _ACL_ATTRIBUTE, packed)
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.ENOSYS, errno.EINVAL):
            return False
        raise EmbeddedPostgresFailed(f"letting the user {uid} pass through {folder}", str(error)) from error
    _log.info("folder_opened_to_pass_through", folder=str(folder), to=uid)
    return True


def _entries(folder: Path) -> Iterator[tuple[int, int, int]]:
    """The folder's ACL as (tag, permissions, id), made from its mode where it has none."""
    try:
        packed = os.getxattr(folder, _ACL_ATTRIBUTE)
    except OSError:
        mode = folder.stat().st_mode
        yield _OWNER, mode >> 6 & 7, _NO_ID
        yield _GROUP_OWNER, mode >> 3 & 7, _NO_ID
        yield _OTHERS, mode & 7, _NO_ID
    else:
        yield from struct.iter_unpack("<HHI", packed[4:])
