"""The word lists of the tweet case: lemma.tsv from WordNet's verbs, vocab.txt from the training messages."""

import re
from collections import Counter
from pathlib import Path

import codec
import fetch

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures/tweet"
N_VOCABULARY, MIN_LENGTH = 5519, 4
# WordNet's own rules of detachment for verbs, in its order: ending of the form, ending of the lemma.
RULES = [("s", ""), ("ies", "y"), ("es", "e"), ("es", ""), ("ed", "e"), ("ed", ""), ("ing", "e"), ("ing", "")]


def inflected(verb):
    """The regular forms of a verb, in their usual spelling."""
    hisses = verb.endswith(("s", "x", "z", "ch", "sh"))
    consonant_y = re.search("[^aeiou]y$", verb)
    forms = [] if hisses or consonant_y else [verb + "s"]
    forms += [verb + "es"] if hisses or verb.endswith("o") else []
    forms += [verb[:-1] + "ies"] if consonant_y else []
    forms += [verb + "d"] if verb.endswith("e") else [verb + "ed"]
    forms += [verb[:-1] + "ing"] if re.search("[^eoy]e$", verb) else [verb + "ing"]
    return forms


def verb_lemmas():
    """{form: lemma} of every inflected form of a one-word English verb that WordNet knows.

    By WordNet's list of exceptions; else a form that is a verb itself stays (seed is no form of see); else the first of
    WordNet's rules that leads to a verb.
    """
    folder = fetch.wordnet()
    verbs = {line.split(" ")[0] for line in (folder / "index.verb").read_text().splitlines() if line[0] != " "}
    verbs = {verb for verb in verbs if verb.isalpha()}
    exceptions = {}
    for line in (folder / "verb.exc").read_text().splitlines():
        form, lemma, *_ = line.split()
        if form.isalpha() and lemma in verbs:
            exceptions.setdefault(form, lemma)

    def lemma(form):
        by_rule = [form[:-len(old)] + new for old, new in RULES if form.endswith(old)]
        return exceptions.get(form) or next(word for word in [form] + by_rule if word in verbs)

    forms = exceptions.keys() | {form for verb in verbs for form in inflected(verb)}
    return {form: lemma(form) for form in sorted(forms)}


def dictionary():
    folder = fetch.wordnet()
    return {line.split(" ")[0] for kind in ("noun", "verb", "adj", "adv")
            for line in (folder / f"index.{kind}").read_text().splitlines() if line[0] != " "}


def write(steps, texts):
    """Writes both lists. steps: the scenario's; texts: those the vocabulary is taken from."""
    lemmas = verb_lemmas()
    stop = set((FIXTURE / "stopwords.txt").read_text().split())
    clean = codec.text_steps([s for s in steps if isinstance(s, str) or "replace" in s], FIXTURE)
    count = Counter(token for text in texts for token in (lemmas.get(t, t) for t in clean(text))
                    if len(token) >= MIN_LENGTH and token not in stop)
    known = dictionary()  # a word seen once may be somebody's name: those only if WordNet has them
    ranked = sorted((token for token in count if count[token] > 1 or token in known),
                    key=lambda token: (-count[token], token))[:N_VOCABULARY - 2]
    assert len(ranked) == N_VOCABULARY - 2
    print(f"vocab.txt: {N_VOCABULARY - 2:,} of {len(count):,} words, the rarest seen {count[ranked[-1]]} times")
    (FIXTURE / "vocab.txt").write_text("\n".join(["<pad>", "<unk>"] + ranked) + "\n", encoding="utf-8")

    listed = set(ranked)

    def outcome(word):
        return None if len(word) < MIN_LENGTH or word in stop else word if word in listed else "<unk>"

    lines = [f"{form}\t{lemma}" for form, lemma in lemmas.items() if outcome(form) != outcome(lemma)]
    print(f"lemma.tsv: {len(lines):,} forms")
    (FIXTURE / "lemma.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
