"""Encrypted workbooks: opened with a password that a person gave, through the ``crypto`` extra."""

from __future__ import annotations

import importlib.util
import io
import struct
from collections.abc import Sequence

from perfeval_xlsx.limits import DEFAULT_LIMITS, Limits
from perfeval_xlsx.workbook import refusals as why
from perfeval_xlsx.workbook.refusals import refuse
from perfeval_xlsx.workbook.worker import ask

_EVERYBODYS = "VelvetSweatshop"
"""What Excel itself encrypts with where it must encrypt but was given no password ([MS-OFFCRYPTO] 2.3.7.3)."""


def decrypt(data: bytes, passwords: Sequence[str], name: str = "", limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Return the bytes of the workbook inside an encrypted one.

    Args:
        data: The encrypted file's bytes.
        passwords: Passwords to try, in order; Excel's built-in one is tried besides.
        name: The file's name, for messages.
        limits: Bounds on the process that decrypts.

    Raises:
        PerfevalError: No password fits, the extra is not installed, or the file is damaged.
    """
    if importlib.util.find_spec("msoffcrypto") is None:
        raise refuse(why.NO_CRYPTO)
    return ask("decrypt", data, name, limits, {"passwords": [*passwords, _EVERYBODYS]})[1]


def unlock(data: bytes, passwords: Sequence[str]) -> bytes:
    """Try passwords in this process; see :func:`decrypt`.

    Raises:
        PerfevalError: No password fits, or the file is damaged.
    """
    import msoffcrypto
    from msoffcrypto.exceptions import DecryptionError, FileFormatError, InvalidKeyError
    from msoffcrypto.format.ooxml import OOXMLFile

    for password in passwords:
        opened = io.BytesIO()
        try:
            locked = msoffcrypto.OfficeFile(io.BytesIO(data))
            locked.load_key(password=password, **({"verify_password": True} if isinstance(locked, OOXMLFile) else {}))
            locked.decrypt(opened)
        except (InvalidKeyError, DecryptionError):
            continue
        except (FileFormatError, struct.error) as error:  # encrypted in a way this library does not know, as .ods is
            raise refuse(why.ENCRYPTED) from error
        return opened.getvalue()
    raise refuse(why.ENCRYPTED if passwords == [_EVERYBODYS] else why.WRONG_PASSWORD)
