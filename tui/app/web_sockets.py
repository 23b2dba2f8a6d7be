"""Sockets of `tui serve`: a port, or a Unix socket that nobody else may open.

They are opened at once, so that nobody else can take their place before the server listens.
"""

import errno
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from core.errors import InputError

__all__ = ["port_sockets", "unix_socket"]


@contextmanager
def port_sockets(host: str, port: int) -> Iterator[list[socket.socket]]:
    """Context manager with sockets on every address that a host's name has, all on one port; 0 takes a free one.

    Raises:
        InputError: the port is taken, or the address does not belong to this machine.
    """
    with ExitStack() as opened:
        made: list[socket.socket] = []
        try:
            for family, kind, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                one = opened.enter_context(socket.socket(family, kind))
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                try:
                    one.bind((address[0], made[0].getsockname()[1] if made else port))
                except OSError as error:
                    if error.errno != errno.EADDRNOTAVAIL or family != socket.AF_INET6:
                        raise  # a name may have an IPv6 address on a machine without IPv6
                else:
                    one.listen()  # without this, other processes could bind the port too
                    made.append(one)
            if not made:
                raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
        except OSError as error:
            reason = error.strerror or str(error)
            raise InputError(
                f"cannot listen on {host}:{port}: {reason}", "Give another with --host or --port"
            ) from None
        yield made


@contextmanager
def unix_socket(path: Path) -> Iterator[socket.socket]:
    """Context manager with a socket at a path that only this user may open; it is removed afterwards.

    Raises:
        InputError: the path already exists, or other users can replace files in its folder.
    """
    hint = "Give another path, such as --socket ~/tui.sock"
    path = path.expanduser().absolute()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
        before = os.umask(0o177)
        try:
            folder = path.parent.resolve()
            if any(map(_is_open_to_others, (folder, *folder.parents))):
                raise InputError(
                    f"cannot listen on {path}: other users can replace files in its folder", hint
                )
            if _is_left_behind(path):
                path.unlink()
            made.bind(str(path))
        except OSError as error:
            reason = "the path already exists" if os.path.lexists(path) else error.strerror or str(error)
            raise InputError(f"cannot listen on {path}: {reason}", hint) from None
        finally:
            os.umask(before)
        try:
            yield made
        finally:
            with suppress(FileNotFoundError):
                path.unlink()


def _is_open_to_others(folder: Path) -> bool:
    """Return whether another user may rename or replace what somebody has put into a folder."""
    there = folder.stat()
    if there.st_uid not in (0, os.getuid()):
        return True
    everybody = bool(there.st_mode & stat.S_IWOTH)
    group = bool(there.st_mode & stat.S_IWGRP) and there.st_gid not in (0, os.getgid())
    return (everybody or group) and not there.st_mode & stat.S_ISVTX


def _is_left_behind(path: Path) -> bool:
    """Return whether a socket of this user exists to which nobody listens any more."""
    try:
        there = path.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISSOCK(there.st_mode) or there.st_uid != os.getuid():
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        try:
            trial.connect(str(path))
        except ConnectionRefusedError:
            return True
    return False
