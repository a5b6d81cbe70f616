"""Drives a security key over its Unix socket with libfido2, through ctypes: a second client that shares no code with
Kedge, and none with python-fido2.

Usage: libfido2.py SOCKET. Says "passed" or raises. Exit code 3: there is no libfido2."""

import ctypes, os, select, socket, sys

try:
    fido = ctypes.CDLL("libfido2.so.1")
except OSError as e:
    print(e)
    sys.exit(3)

VOID, TEXT, INT, SIZE = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_size_t
OPEN = ctypes.CFUNCTYPE(VOID, TEXT)
CLOSE = ctypes.CFUNCTYPE(None, VOID)
READ = ctypes.CFUNCTYPE(INT, VOID, VOID, SIZE, INT)
WRITE = ctypes.CFUNCTYPE(INT, VOID, VOID, SIZE)
ES256, EDDSA, TRUE, FALSE = -7, -8, 2, 1
HMAC_SECRET, CRED_PROTECT, LARGEBLOB_KEY, CRED_BLOB = 1, 2, 4, 8


class Functions(ctypes.Structure):
    _fields_ = [("open", OPEN), ("close", CLOSE), ("read", READ), ("write", WRITE)]


connection = socket.socket(socket.AF_UNIX)


def open_(path):
    connection.connect(path.decode())
    return 1


def read(handle, buffer, size, milliseconds):
    data = b""
    while len(data) < size:
        if not select.select([connection], [], [], None if milliseconds < 0 else milliseconds / 1000)[0]:
            return -1
        part = connection.recv(size - len(data))
        if not part:
            return -1
        data += part
    ctypes.memmove(buffer, data, size)
    return size


def write(handle, buffer, size):
    connection.sendall(ctypes.string_at(buffer, size)[1:])  # without the number of the report
    return size


functions = Functions(OPEN(open_), CLOSE(lambda handle: connection.close()), READ(read), WRITE(write))


def call(name, *args, want=0):
    """Calls a function that returns a status; texts are bytes."""
    status = getattr(fido, name)(*args)
    assert status == want, (name, hex(status & 0xff), want)


def new(name):
    f = getattr(fido, name + "_new")
    f.restype = VOID
    made = VOID(f())
    assert made
    return made


def field(name, of, *index):
    """The bytes that a pair of functions …_ptr and …_len gives."""
    pointer, length = getattr(fido, name + "_ptr"), getattr(fido, name + "_len")
    pointer.restype, length.restype = VOID, SIZE
    return ctypes.string_at(pointer(of, *index), length(of, *index))


fido.fido_init(0)
dev = new("fido_dev")
call("fido_dev_set_io_functions", dev, ctypes.byref(functions))
call("fido_dev_open", dev, sys.argv[1].encode())
assert fido.fido_dev_is_fido2(dev)
info = new("fido_cbor_info")
call("fido_dev_get_cbor_info", dev, info)
assert field("fido_cbor_info_aaguid", info) != b"\0" * 16
HASH = os.urandom(32)


def register(name, algorithm=ES256, resident=False, extensions=0, level=0, blob=b"", pin=None, want=0, exclude=None):
    cred = new("fido_cred")
    call("fido_cred_set_type", cred, algorithm)
    call("fido_cred_set_clientdata_hash", cred, HASH, SIZE(32))
    call("fido_cred_set_rp", cred, b"id.example", b"Kedge")
    call("fido_cred_set_user", cred, name, SIZE(len(name)), name, name, None)
    call("fido_cred_set_rk", cred, TRUE if resident else FALSE)
    if extensions:
        call("fido_cred_set_extensions", cred, extensions)
    if level:
        call("fido_cred_set_prot", cred, level)
    if blob:
        call("fido_cred_set_blob", cred, blob, SIZE(len(blob)))
    if exclude:
        call("fido_cred_exclude", cred, exclude, SIZE(len(exclude)))
    call("fido_dev_make_cred", dev, cred, pin, want=want)
    if want == 0:
        call("fido_cred_verify_self", cred)
        assert field("fido_cred_pubkey", cred) and field("fido_cred_id", cred)
    return cred


def sign_in(cred, algorithm=ES256, listed=True, salt=None, extensions=0, pin=None, want=0):
    a = new("fido_assert")
    call("fido_assert_set_clientdata_hash", a, HASH, SIZE(32))
    call("fido_assert_set_rp", a, b"id.example")
    if listed:
        id = field("fido_cred_id", cred)
        call("fido_assert_allow_cred", a, id, SIZE(len(id)))
    if salt or extensions:
        call("fido_assert_set_extensions", a, extensions | (HMAC_SECRET if salt else 0))
    if salt:
        call("fido_assert_set_hmac_salt", a, salt, SIZE(len(salt)))
    call("fido_dev_get_assert", dev, a, pin, want=want)
    if want == 0:
        kind = {ES256: "es256", EDDSA: "eddsa"}[algorithm]
        key = new(kind + "_pk")
        raw = field("fido_cred_pubkey", cred)
        call(kind + "_pk_from_ptr", key, raw, SIZE(len(raw)))
        call("fido_assert_verify", a, SIZE(0), algorithm, key)
    return a


# Registration and sign-in, without a record and with one, of both algorithms.
for algorithm in (ES256, EDDSA):
    for resident in (False, True):
        cred = register(b"anna", algorithm, resident)
        sign_in(cred, algorithm)
        if resident:
            sign_in(cred, algorithm, listed=False)
        register(b"bert", exclude=field("fido_cred_id", cred), want=0x19)
register(b"anna", -257, want=0x26)

# hmac-secret: the same salt gives the same, another does not.
cred = register(b"carl", resident=True, extensions=HMAC_SECRET)
one, two = (field("fido_assert_hmac_secret", sign_in(cred, salt=bytes([i]) * 32), SIZE(0)) for i in (1, 2))
both = field("fido_assert_hmac_secret", sign_in(cred, salt=b"\1" * 32 + b"\2" * 32), SIZE(0))
assert len(one) == 32 and one != two and both == one + two

# credBlob, and the key of a large blob.
cred = register(b"dora", resident=True, extensions=LARGEBLOB_KEY | CRED_BLOB, blob=b"a blob")
a = sign_in(cred, extensions=LARGEBLOB_KEY | CRED_BLOB)
assert field("fido_assert_blob", a, SIZE(0)) == b"a blob"
key = field("fido_assert_largeblob_key", a, SIZE(0))
assert key == field("fido_cred_largeblob_key", cred) and len(key) == 32
# PIN, and what it opens.
call("fido_dev_set_pin", dev, b"1234", None)
call("fido_dev_set_pin", dev, b"a longer PIN", b"1234")
call("fido_dev_set_pin", dev, b"5678", b"1234", want=0x31)
tries = INT()
call("fido_dev_get_retry_count", dev, ctypes.byref(tries))
assert tries.value == 7
PIN = b"a longer PIN"
cred = register(b"emil", resident=True, extensions=CRED_PROTECT, level=3, pin=PIN)
sign_in(cred, want=0x2e)
sign_in(cred, pin=PIN)
call("fido_dev_get_retry_count", dev, ctypes.byref(tries))
assert tries.value == 8

# libfido2 writes large blobs with a PIN alone, and 1.12 none of a few bytes.
large = os.urandom(300)
call("fido_dev_largeblob_set", dev, key, SIZE(32), large, SIZE(300), PIN)
pointer, length = VOID(), SIZE()
call("fido_dev_largeblob_get", dev, key, SIZE(32), ctypes.byref(pointer), ctypes.byref(length))
assert ctypes.string_at(pointer, length.value) == large

# Credential management.
meta = new("fido_credman_metadata")
call("fido_credman_get_dev_metadata", dev, meta, PIN)
fido.fido_credman_rk_existing.restype = ctypes.c_uint64
assert fido.fido_credman_rk_existing(meta) == 4  # anna, carl, dora, emil
rk = new("fido_credman_rk")
call("fido_credman_get_dev_rk", dev, b"id.example", rk, PIN)
fido.fido_credman_rk_count.restype = SIZE
assert fido.fido_credman_rk_count(rk) == 4
id = field("fido_cred_id", cred)
call("fido_credman_del_dev_rk", dev, id, SIZE(len(id)), PIN)
call("fido_credman_get_dev_metadata", dev, meta, PIN)
assert fido.fido_credman_rk_existing(meta) == 3

call("fido_dev_toggle_always_uv", dev, PIN)
call("fido_dev_toggle_always_uv", dev, PIN)
call("fido_dev_set_pin_minlen", dev, SIZE(6), PIN)
call("fido_dev_force_pin_change", dev, PIN)
register(b"fred", pin=PIN, want=0x31)
call("fido_dev_reset", dev)
register(b"anna")
call("fido_dev_close", dev)
print("passed")
