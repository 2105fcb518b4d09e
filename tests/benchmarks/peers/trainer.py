"""A whole training run with Hugging Face's Trainer: `python trainer.py CONFIG.json`, in a process of its own.

It reads the model folder and the files that the other side reads, and does what that does: tokenises, trains
with the same AdamW, schedule and batch size, evaluates and saves every so many steps, keeps the best.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from transformers import (
    AutoModelForSequenceClassification,
    DataCollatorWithPadding,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
)

LABELS = ("entailment", "neutral", "contradiction")


def read(path: Path) -> Dataset:
    """A set in MultiNLI's format."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return Dataset.from_list(
        [
            {"first": row["sentence1"], "second": row["sentence2"], "labels": LABELS.index(row["gold_label"])}
            for row in rows
        ]
    )


def accuracy(predicted: Any) -> dict[str, float]:
    """In points."""
    right = np.argmax(predicted.predictions, axis=-1) == predicted.label_ids
    return {"accuracy": 100 * float(right.mean())}


def main() -> None:
    """Trains, and prints the score of the best weights on the last line."""
    asked = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=f"{asked['model']}/tokenizer.json",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        cls_token="<s>",
        sep_token="</s>",
    )

    def encode(batch: dict[str, list[str]]) -> Any:
        return tokenizer(batch["first"], batch["second"], truncation=True, max_length=256)

    folder = Path(asked["data"])
    train, dev = (
        read(folder / f"multinli_1.0_{split}.jsonl").map(
            encode, batched=True, remove_columns=["first", "second"]
        )
        for split in ("train", "dev_matched")
    )
    model = AutoModelForSequenceClassification.from_pretrained(
        asked["model"], num_labels=len(LABELS), attn_implementation="sdpa"
    )
    arguments = TrainingArguments(
        output_dir=asked["output"],
        seed=asked["seed"],
        use_cpu=True,
        per_device_train_batch_size=asked["examples_per_batch"],
        per_device_eval_batch_size=4 * asked["examples_per_batch"],
        learning_rate=asked["learning_rate"],
        num_train_epochs=asked["epochs"],
        weight_decay=0.01,
        warmup_steps=0.1,
        lr_scheduler_type="linear",
        eval_strategy="steps",
        eval_steps=asked["every"],
        save_strategy="steps",
        save_steps=asked["every"],
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="accuracy",
        train_sampling_strategy="group_by_length" if asked["grouped"] else "random",
        logging_steps=asked["every"],
        report_to="none",
        disable_tqdm=True,
    )
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=train,
        eval_dataset=dev,
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=accuracy,
    )
    trainer.train()
    trainer.save_model(f"{asked['output']}/best")
    print(json.dumps({"score": trainer.state.best_metric}))


if __name__ == "__main__":
    main()
