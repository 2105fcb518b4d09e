"""XQuAD: SQuAD questions, translated. Schema of google/xtreme, XQuAD.<language>; a single evaluation set."""

from stilts.tasks import FolderFiles, Task, codes
from stilts.tasks._questions import read_squad
from stilts.tasks._xtreme import SINGLE_SET, xtreme

TASK = Task(
    name="xquad",
    type="span",
    role="target",
    read=read_squad,
    languages=codes("ar de el en es hi ru th tr vi zh"),
    splits={"dev": "test", "test": "test"},
    parallel=True,
    train_task="squad_v1",
    head_from="squad_v1",
    metric="squad",
    max_length=384,
    typical_tokens=205,
    embedded_tokens=39,
    hub=(xtreme("XQuAD.{language}", sets=SINGLE_SET),),
    folder=(FolderFiles(format="squad_json", files=("xquad/xquad.{language}.json",), sets={"test": ("",)}),),
    sizes={"test": 1190},
)
