"""Sets that are what they promise pass; each way of not being so is told with its file and row."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from stilts import tasks
from stilts.corpora import language_id as guesses
from stilts.corpora.__main__ import main
from stilts.corpora.checking import known_sizes
from stilts.corpora.required import required_sets
from stilts.embedded import catalogue
from stilts.study.loading import load_study

STUDY = Path(__file__).parents[3] / "stilts" / "study" / "studies" / "tiny.toml"
# Enough of a language to know it by.
ENGLISH = "The house that was built for the king of the north is not far from the river and from this town. "


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    code = main(["check", "--study", "xlmr-large", "--sources", "folder", *arguments])
    return code, capsys.readouterr().out.splitlines()


def test_the_paper_s_study_passes_on_every_published_format(data_folder, capsys) -> None:
    code, lines = check(capsys)
    assert code == 0
    study = load_study("xlmr-large")
    required = {need.name for need in required_sets(study) if not need.optional}
    passed = {" ".join(line.split()[1:4]) for line in lines if line.startswith("ok ")}
    assert required <= passed
    assert not [line for line in lines if line.startswith("wrong")]
    assert "a sample: neither sizes nor missing languages count" in lines[-1]


def test_a_sample_is_no_whole(data_folder, capsys) -> None:
    code, lines = check(capsys, "--extent", "whole", "--tasks", "xquad", "--languages", "de")
    assert code == 1
    assert lines[0].startswith("wrong    xquad          de  test  1 examples, 1,190 are published (Artetxe")


def test_what_is_missing_is_named_once_for_all_languages(data_folder, monkeypatch, capsys, tmp_path) -> None:
    monkeypatch.setenv("STILTS_DATA", str(tmp_path))
    shutil.copytree(data_folder / "xquad", tmp_path / "xquad")
    (tmp_path / "xquad" / "xquad.el.json").unlink()
    (tmp_path / "xquad" / "xquad.hi.json").unlink()
    code, lines = check(capsys, "--tasks", "xquad,tatoeba", "--extent", "sample")
    assert code == 3
    greek = next(line for line in lines if line.startswith("missing  xquad"))
    assert greek.startswith(
        f"missing  xquad test (el hi): {tmp_path} lacks xquad el test; it is there in ar,"
    )
    assert sum(line.startswith("missing  tatoeba") for line in lines) == 1
    # Of a task that is there in other languages, none need be in a sample.
    assert check(capsys, "--tasks", "xquad", "--extent", "sample")[0] == 0
    # A whole set of languages is required otherwise.
    (tmp_path / "xquad" / "xquad.de.json").unlink()
    assert check(capsys, "--tasks", "xquad", "--languages", "de")[0] == 3


def test_an_optional_task_may_be_missing(data_folder, monkeypatch, capsys, tmp_path) -> None:
    monkeypatch.setenv("STILTS_DATA", str(tmp_path))
    shutil.copytree(data_folder / "commonsenseqa", tmp_path / "commonsenseqa")
    code, lines = check(capsys, "--tasks", "ccg,commonsenseqa", "--extent", "sample")
    assert code == 0
    assert "CCGbank (LDC2005T13) is licensed" in "".join(lines)
    assert "2 of the missing ones are not required" in lines[-1]


def squad(folder: Path, place: str, change) -> None:
    path = folder / place
    found = json.loads(path.read_text())
    change(found["data"])
    path.write_text(json.dumps(found, ensure_ascii=False))


def first_paragraph(data: list) -> dict:
    return data[0]["paragraphs"][0]


def ask_twice(data: list) -> None:
    paragraph = first_paragraph(data)
    paragraph["qas"] += [paragraph["qas"][0]]


def answer_elsewhere(data: list) -> None:
    first_paragraph(data)["qas"][0]["answers"] = [{"text": "Atlantis", "answer_start": 0}]


def leave_unanswered(data: list) -> None:
    first_paragraph(data)["qas"][0]["answers"] = []


def silence(data: list) -> None:
    first_paragraph(data)["qas"] += [dict(first_paragraph(data)["qas"][0], id="1")]


@pytest.mark.parametrize(
    ("task", "file", "change", "said"),
    [
        ("xquad", "xquad/xquad.de.json", ask_twice, "an id that an example before it has"),
        ("xquad", "xquad/xquad.de.json", answer_elsewhere, "the answer is not in its passage"),
        ("xquad", "xquad/xquad.de.json", leave_unanswered, "none of 1 rows has a label"),
        ("squad_v1", "squad/train-v1.1.json", leave_unanswered, "the question has no answer"),
        ("tydiqa", "tydiqa/tydiqa-goldp-v1.1-train.json", silence, "does not say its language"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_questions_keep_their_promises(own_folder, capsys, task, file, change, said) -> None:
    squad(own_folder, file, change)
    code, lines = check(capsys, "--tasks", task)
    wrong = [line for line in lines if line.startswith("wrong")]
    assert code == 1
    assert said in "".join(wrong)
    assert change is leave_unanswered or f"{own_folder / file} row " in "".join(wrong)


def test_a_file_under_another_language_s_name_is_found(own_folder, capsys) -> None:
    pairs = own_folder / "tatoeba"
    for code in ("deu", "hin", "rus"):
        (pairs / f"tatoeba.{code}-eng.{code}").write_text(f"{ENGLISH}\n" * 12)
        (pairs / f"tatoeba.{code}-eng.eng").write_text(f"{ENGLISH}\n" * 12)
    serbian = "Кућа није далеко од реке, али је пут дуг и тежак.\n" * 12
    (pairs / "tatoeba.rus-eng.rus").write_text(serbian)
    code, lines = check(capsys, "--tasks", "tatoeba", "--languages", "de,hi,ru")
    german, hindi, *others = [line for line in lines if line.startswith("wrong")]
    assert code == 1
    assert german.endswith(f"{pairs / 'tatoeba.deu-eng.deu'} row 1 and on: reads like 'en', not 'de'")
    assert hindi.endswith(f"{pairs / 'tatoeba.hin-eng.hin'} row 1: not in 'hi' (12 such)")
    # Serbian is none of the languages, so that nothing speaks for another one: the check is coarse.
    assert others == []


def test_rows_left_in_english_are_found(own_folder, capsys) -> None:
    pairs = own_folder / "tatoeba"
    lines = ["घर नदी से दूर नहीं है और यह शहर बहुत पुराना है।"] * 40
    lines[6] = lines[20] = lines[21] = lines[22] = lines[23] = ENGLISH
    (pairs / "tatoeba.hin-eng.hin").write_text("".join(f"{line}\n" for line in lines))
    (pairs / "tatoeba.hin-eng.eng").write_text(f"{ENGLISH}\n" * 40)
    code, shown = check(capsys, "--tasks", "tatoeba", "--languages", "hi")
    assert code == 1
    assert f"{pairs / 'tatoeba.hin-eng.hin'} row 7: not in 'hi' (5 such)" in shown[0]


@pytest.mark.parametrize(("blank", "state"), [(1, "ok"), (20, "wrong")])
def test_a_few_empty_texts_are_told_and_many_are_wrong(own_folder, capsys, blank, state) -> None:
    path = own_folder / "qqp" / "dev.tsv"
    header, row, *_ = path.read_text().splitlines()
    fields = row.split("\t")
    names = header.split("\t")
    rows = []
    for number in range(200):
        values = dict(zip(names, fields, strict=True)) | {"id": str(number), "is_duplicate": str(number % 2)}
        if number < blank:
            values["question2"] = ""
        rows.append("\t".join(values[name] for name in names))
    path.write_text("\n".join([header, *rows, ""]))
    code, lines = check(capsys, "--tasks", "qqp")
    (line,) = [line for line in lines if " dev " in line]
    assert line.startswith(state)
    assert f"{path} row 2: an empty text" in line
    assert code == (state == "wrong")


def test_a_class_that_never_occurs_is_named(own_folder, capsys) -> None:
    path = own_folder / "commonsenseqa" / "dev_rand_split.jsonl"
    row = json.loads(path.read_text().splitlines()[0])
    path.write_text("".join(json.dumps(row | {"id": str(number)}) + "\n" for number in range(120)))
    code, lines = check(capsys, "--tasks", "commonsenseqa")
    assert code == 1
    assert "the right answer always stands at the same place" in "".join(lines)

    path = own_folder / "qqp" / "dev.tsv"
    header, row, *_ = path.read_text().splitlines()
    at = header.split("\t").index("is_duplicate"), header.split("\t").index("id")
    rows = []
    for number in range(120):
        fields = row.split("\t")
        fields[at[0]], fields[at[1]] = "1", str(number)
        rows.append("\t".join(fields))
    path.write_text("\n".join([header, *rows, ""]))
    assert "no example is labelled different" in "".join(check(capsys, "--tasks", "qqp")[1])


@pytest.mark.parametrize(
    ("file", "content", "task", "said"),
    [
        ("xquad/xquad.de.json", b"<!DOCTYPE html><html>404</html>", "xquad", "row 1: a web page was saved"),
        ("xquad/xquad.de.json", b'{"data": [', "xquad", "row 1: not JSON, or cut short"),
        ("cosmosqa/valid.csv", b"id,context,question\n1,a,b\n", "cosmosqa", "row 2: no column 'label'"),
    ],
)
def test_unreadable_files_are_named(own_folder, capsys, file, content, task, said) -> None:
    (own_folder / file).write_bytes(content)
    code, lines = check(capsys, "--tasks", task)
    assert code == 1
    assert f"{own_folder / file} {said}" in "".join(line for line in lines if line.startswith("wrong"))


def test_staged_files_are_held_against_their_digests(own_folder, capsys) -> None:
    entry = {"repo": "r", "revision": "c", "path": "p"}
    files = {}
    for name in ("xquad/xquad.de.json", "xquad/xquad.zh.json", "tatoeba/tatoeba.deu-eng.deu"):
        data = (own_folder / name).read_bytes()
        files[name] = entry | {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    files["xquad/gone.json"] = files["xquad/xquad.de.json"]
    files["tatoeba/tatoeba.deu-eng.deu"] = files["xquad/gone.json"]  # of a task that is not asked for
    (own_folder / "manifest.json").write_text(json.dumps({"extent": "sample", "files": files}))
    path = own_folder / "xquad" / "xquad.zh.json"
    path.write_text(path.read_text().replace(" ", "  ", 1))
    code, lines = check(capsys, "--tasks", "xquad", "--languages", "de")
    assert code == 1
    assert lines[:2] == [
        f"wrong    {own_folder / 'xquad/gone.json'} is missing, though the manifest has it",
        f"wrong    {path} has {path.stat().st_size} bytes, not {path.stat().st_size - 1}",
    ]
    path.write_text(path.read_text().replace("  ", " ", 1).replace("data", "Data"))
    assert "has another sha256 than the manifest" in "".join(check(capsys, "--tasks", "xquad")[1])


def test_every_known_size_says_where_it_is_from() -> None:
    known = {(task, split) for task, sets in known_sizes().items() for split in sets}
    sized = {(name, split) for name in tasks.names() for split in tasks.load(name).sizes}
    assert known == sized


@pytest.mark.parametrize("code", [code for code in catalogue.languages() if code in guesses.WORDS])
def test_translations_of_django_are_told_by_language(code: str) -> None:
    texts = [foreign for _, foreign in catalogue.pairs(code)]
    guess = guesses.read_off(code, texts)
    assert guess.reads_like() is None
    assert guess.foreign == 0
    assert guess.share() > 0.9
    other = {"bg": "ru", "ru": "bg", "kk": "ru", "hi": "mr", "mr": "hi", "fa": "ar", "ur": "ar"}.get(code)
    if other:
        assert guesses.read_off(other, texts * 3).reads_like() == code


def test_another_script_is_found_in_a_language_of_latin_letters(own_folder, capsys) -> None:
    pairs = own_folder / "tatoeba"
    (pairs / "tatoeba.deu-eng.deu").write_text("Дом стоит недалеко от реки, но дорога длинная.\n" * 12)
    (pairs / "tatoeba.deu-eng.eng").write_text(f"{ENGLISH}\n" * 12)
    code, (line, *_) = check(capsys, "--tasks", "tatoeba", "--languages", "de")
    assert code == 1
    assert line.endswith("row 1 and on: only 0% of the letters are in the script of 'de'")


@pytest.mark.parametrize("change", ["none", "label", "original"])
def test_translations_are_held_against_the_english_rows(own_folder, capsys, change) -> None:
    path = own_folder / "mnli" / "multinli_1.0" / "multinli_1.0_train.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows = [row for row in rows if row["gold_label"] != "-"]
    for row in rows:
        row |= {
            "sentence1": "Das Haus ist nicht weit.",
            "sentence2": "Es ist nah.",
            "source_id": row["pairID"],
        }
    if change == "label":
        wrong = {"entailment": "neutral"}.get(rows[0]["gold_label"], "entailment")
        rows[0]["gold_label"] = wrong
    if change == "original":
        rows[0]["source_id"] = "nowhere"
    translated = own_folder / "translated" / "mnli" / "de.jsonl"
    translated.parent.mkdir(parents=True, exist_ok=True)
    translated.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    code, lines = check(capsys, "--tasks", "mnli.translated", "--languages", "de")
    assert code == (change != "none")
    said = {"none": "ok ", "label": "labelled", "original": "source_id 'nowhere' is no English row"}[change]
    assert said in lines[0]
    assert change == "none" or f"{translated} row 1: " in lines[0]
