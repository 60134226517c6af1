"""The word lists of the tweet case: lemma.tsv from WordNet's verbs, vocab.txt from the training messages."""

from collections import Counter, defaultdict
from pathlib import Path

import codec
import fetch

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures/tweet"
N_VOCABULARY, MIN_LENGTH = 5519, 4
# WordNet's own rules of detachment for verbs, in its order: ending of the form, ending of the lemma.
RULES = [("s", ""), ("ies", "y"), ("es", "e"), ("es", ""), ("ed", "e"), ("ed", ""), ("ing", "e"), ("ing", "")]


def verb_lemmas():
    """{form: lemma} of every inflected form of a one-word English verb that WordNet knows.

    As in WordNet's morphy: the exceptions first, else the rules; a form may also be a verb itself; the shortest wins.
    """
    folder = fetch.wordnet()
    verbs = {line.split(" ")[0] for line in (folder / "index.verb").read_text().splitlines() if line[0] != " "}
    verbs = {verb for verb in verbs if verb.isalpha()}
    exceptions = defaultdict(list)
    for line in (folder / "verb.exc").read_text().splitlines():
        form, *lemmas = line.split()
        exceptions[form] += [lemma for lemma in lemmas if lemma in verbs]
    forms = {form for form in exceptions if form.isalpha()}
    for verb in verbs:
        forms |= {verb[:len(verb) - len(new)] + old for old, new in RULES if verb.endswith(new)}

    def lemma(form):
        by_rule = [form[:-len(old)] + new for old, new in RULES if form.endswith(old)]
        found = [form] + (exceptions.get(form) or by_rule)
        return min((word for word in found if word in verbs), key=len, default=form)

    return {form: lemma(form) for form in sorted(forms)}


def write(steps, texts):
    """Writes both lists. steps: the scenario's; texts: those the vocabulary is taken from."""
    lemmas = verb_lemmas()
    stop = set((FIXTURE / "stopwords.txt").read_text().split())
    clean = codec.text_steps([s for s in steps if isinstance(s, str) or "replace" in s], FIXTURE)
    count = Counter(token for text in texts for token in (lemmas.get(t, t) for t in clean(text))
                    if len(token) >= MIN_LENGTH and token not in stop)
    ranked = sorted(count, key=lambda token: (-count[token], token))[:N_VOCABULARY - 2]
    assert len(ranked) == N_VOCABULARY - 2
    print(f"vocab.txt: {N_VOCABULARY - 2:,} of {len(count):,} words, the rarest seen {count[ranked[-1]]} times")
    (FIXTURE / "vocab.txt").write_text("\n".join(["<pad>", "<unk>"] + ranked) + "\n", encoding="utf-8")

    known = set(ranked)

    def outcome(word):
        return None if len(word) < MIN_LENGTH or word in stop else word if word in known else "<unk>"

    lines = [f"{form}\t{lemma}" for form, lemma in lemmas.items() if outcome(form) != outcome(lemma)]
    print(f"lemma.tsv: {len(lines):,} forms")
    (FIXTURE / "lemma.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
