"""Which questions are nearly the same: pieces of three and four letters, compared by their cosine.

Each group is known by its first question alone: a chain of small differences never leads from one matter to another. scikit-learn
is loaded at the first call, not with the gateway; call it in a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.languages.courtesy import sentences_without_courtesy
from bot.learn.turns import MARK, searchable

# Chosen on pairs of questions: reorderings, missing marks and chat words stay above, another matter in the same phrase below.
# A group too many costs one decision more; two matters in one group cost a wrong one.
NEARLY_THE_SAME = 0.75
PIECES = (3, 4)
TABLE_SIZE = 2**18
# So many rows are compared with all leaders at once: bounds the memory.
STEP_ROWS = 64


def assigned(leaders: Sequence[str], texts: Sequence[str]) -> list[int]:
    """For every text the place of its group: below len(leaders) a known one, from there on a new one, counted in the order in
    which their first texts come."""
    if not texts:
        return []
    rows = _pieces([*leaders, *texts])
    known, asked = rows[: len(leaders)], rows[len(leaders) :]
    nearest = _nearest(asked, known) if len(leaders) else [(0, 0.0)] * len(texts)
    places: list[int] = []
    begun: list[int] = []
    for i, (place, likeness) in enumerate(nearest):
        among_new, new_likeness = _nearest(asked[i], asked[begun])[0] if begun else (0, 0.0)
        if max(likeness, new_likeness) < NEARLY_THE_SAME:
            places.append(len(leaders) + len(begun))
            begun.append(i)
        else:
            places.append(place if likeness >= new_likeness else len(leaders) + among_new)
    return places


def compared(text: str) -> str:
    """What of a question is compared: without greetings, marks of masking and diacritics."""
    bare = MARK.sub(" ", text)
    return searchable(". ".join(sentences_without_courtesy(bare)) or bare)


def _pieces(texts: Sequence[str]) -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    vectorizer = HashingVectorizer(analyzer="char_wb", ngram_range=PIECES, n_features=TABLE_SIZE, alternate_sign=False, norm="l2")
    return vectorizer.transform([compared(text) for text in texts])


def _nearest(asked: Any, known: Any) -> list[tuple[int, float]]:
    """(place, likeness) of the likest known row, for each asked one."""
    found: list[tuple[int, float]] = []
    for start in range(0, asked.shape[0], STEP_ROWS):
        likeness = (asked[start : start + STEP_ROWS] @ known.T).tocsr()
        for i in range(likeness.shape[0]):
            row = likeness.getrow(i)
            best = int(row.data.argmax()) if row.nnz else -1
            found.append((int(row.indices[best]), float(row.data[best])) if best >= 0 else (0, 0.0))
    return found
