"""XTREME submissions: gathered from evaluations or from a regime of a study, written, read back, scored.

The layout follows the README, `evaluate.py`, the mock data and the preprocessing code of
github.com/google-research/xtreme: a folder for each of the nine tasks, in it `test-{language}.tsv`, for
questions `test-{language}.json`, languages as two letters. A line holds

    xnli                entailment, neutral or contradiction
    pawsx               0 or 1 (the same meaning)
    udpos, panx         one tag; an empty line after a sentence
    bucc2018            foreign id, tab, English id
    tatoeba             number, from 0, of the foreign sentence nearest to an English one; foreign sentences
                        stand as published, English ones sorted by their text as XTREME's preprocessing does
    xquad mlqa tydiqa   one JSON object: question id to answer

Beside them lies `manifest.json`, which XTREME's scorer does not look at: whose answers each file holds, to
which data, and what keeps the whole from being a submission.

Recalled and not checked: that the Hub's Tatoeba keeps the order of the published files.
"""
