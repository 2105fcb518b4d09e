"""Raw records of a study's timings as Parquet, for an archive that other tools read."""

from pathlib import Path

from hpc.errors import UserError
from hpc.files import digest, files_below, is_there, replacing_folder, write_json
from stilts.report.evidence import Evidence
from stilts.run import records
from stilts.study.loading import load_study

KINDS = ("latency", "serving", "memory", "telemetry")


def compact(name: str, runs: Path, output: Path) -> int:
    """Writes `KIND/run_id=RUN/part-0.parquet` for every finished process, and `digests.json` beside them.

    Raises:
        UserError: the study has measured nothing, or the folder is there.
    """
    import pyarrow.parquet as pq

    if is_there(output):
        raise UserError(f"{output} is there already: name another folder")
    study = load_study(name)
    evidence = Evidence(study=study, folder=runs / study.name)
    counts = dict.fromkeys(KINDS, 0)
    done = evidence.whole()
    if not any((place.records / kind).is_dir() for place in done for kind in KINDS):
        raise UserError(
            f"{evidence.folder} holds no timings of a finished process: stilts latency run --study {name}",
            code=3,
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    with replacing_folder(output) as folder:
        for place in done:
            for kind in KINDS:
                table = records.read(kind, [place.records / kind])
                if len(table):
                    part = folder / kind / f"run_id={place.id}" / "part-0.parquet"
                    part.parent.mkdir(parents=True)
                    pq.write_table(table.drop_columns("run_id"), part, compression="zstd")
                    counts[kind] += len(table)
        parts = files_below(folder, "*.parquet")
        write_json(folder / "digests.json", {str(part.relative_to(folder)): digest(part) for part in parts})
    told = ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count)
    print(f"{told} rows in {output}")
    return 0
