"""The rows that the airline models learn from, as each model's columns of numbers, and their vocabularies."""

from datetime import date
from pathlib import Path

import numpy as np

import fetch
import flights
from fetch import N_AIRLINE

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures/airline"
VOCABULARY = {"UniqueCarrier": "carriers.txt", "Origin": "origins.txt", "Dest": "dests.txt", "Month": "months.txt",
              "DayOfWeek": "weekdays.txt"}
# Nothing here is known only after departure: no DepTime, DepDelay, ArrTime, AirTime, TailNum, Cancelled.
GBM = ["Month", "DayofMonth", "DayOfWeek", "CRSDepTime", "CRSArrTime", "FlightNum", "UniqueCarrier", "Origin", "Dest",
       "Distance"]
SPLIT = "held out are whole days, those whose day of the year is 4 modulo 5"


def load():
    """(rows, usable, held_out, delayed): rows of text in time order, and three masks over them."""
    rows = [row for _, row in flights.rows(fetch.flights_csv())]
    arr_delay, delayed = flights.COLUMNS.index("ArrDelay"), flights.COLUMNS.index("IsArrDelayed")
    day = np.array([date(int(r[0]), int(r[1]), int(r[2])).timetuple().tm_yday for r in rows])
    usable = np.array([r[arr_delay] != "NA" for r in rows])
    usable[:N_AIRLINE] = False
    return rows, usable, usable & (day % 5 == 4), np.array([r[delayed] == "YES" for r in rows])


def texts(rows, name):
    at = flights.COLUMNS.index(name)
    return [row[at] for row in rows]


def write_vocabularies(rows):
    """One level a line, sorted, from the rows after the recording's."""
    for name, file in VOCABULARY.items():
        number = name in ("Month", "DayOfWeek")
        levels = sorted(set(texts(rows[N_AIRLINE:], name)), key=int if number else str)
        (FIXTURE / file).write_text("\n".join(levels) + "\n")


def numbers(rows, name):
    return np.array(texts(rows, name), np.float64)


def codes(rows, name):
    """(index of the level, number of levels); a level that the vocabulary lacks has the number of levels as its code."""
    levels = (FIXTURE / VOCABULARY[name]).read_text().split()
    index = {level: i for i, level in enumerate(levels)}
    return np.array([index.get(text, len(levels)) for text in texts(rows, name)]), len(levels)
