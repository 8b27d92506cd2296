"""Times of facts: docs/journal-format.md, times. Whole microseconds since 1970; CPython of another version reads others."""
import re
from datetime import date, timedelta

EPOCH = date(1970, 1, 1).toordinal()
DAY = re.compile("([0-9]{4})-([0-9]{2})-([0-9]{2})|([0-9]{4})([0-9]{2})([0-9]{2})")
WEEK = re.compile("([0-9]{4})-W([0-9]{2})(?:-([0-9]))?|([0-9]{4})W([0-9]{2})([0-9])?")


def date_length(text):
    if len(text) < 7:
        return None
    if len(text) == 7:
        return 7
    if text[4] == "-" and text[5] != "W":
        return 10
    if text[4] == "-":
        if text[8:9] != "-":
            return 8
        if len(text) == 9:
            return None
        return 8 if "0" <= text[10:11] <= "9" else 10
    if text[4] == "W":
        digits = re.match("[0-9]*", text[7:]).end()
        end = 7 + digits
        return end if end < 9 else 7 + end % 2
    return 8


def day_of(text):
    found = DAY.fullmatch(text)
    try:
        if found:
            year, month, day = (int(one) for one in found.groups() if one is not None)
            return date(year, month, day).toordinal() - EPOCH
        found = WEEK.fullmatch(text)
        if not found:
            return None
        year, week, day = found.groups()[:3] if found[1] else found.groups()[3:]
        return date.fromisocalendar(int(year), int(week), int(day or 1)).toordinal() - EPOCH
    except (ValueError, OverflowError):
        return None


def clock_of(text):
    """(parts, microseconds, whether something stands behind them)"""
    parts, at, colons = [], 0, None
    while True:
        if not re.fullmatch("[0-9]{2}", text[at:at + 2]):
            return None
        parts.append(int(text[at:at + 2]))
        at += 2
        rest = text[at:]
        if len(rest) < 2 and rest < "\x80":
            return parts, 0, rest != ""
        if rest[0] in ".,":
            return with_fraction(parts, rest[1:])
        if colons is None:
            colons = rest[0] == ":"
        if colons and rest[0] != ":":
            return None
        at += colons
        if len(parts) == 3:
            return with_fraction(parts, text[at:])


def with_fraction(parts, text):
    if not re.fullmatch("[0-9]{1,6}", text[:6]):
        return None
    return parts, int(text[:6].ljust(6, "0")), not re.fullmatch("[0-9]*", text)


def seconds_of(parts):
    hours, minutes, seconds = (parts + [0, 0])[:3]
    return (hours * 60 + minutes) * 60 + seconds


def moment(text):
    """Microseconds since 1970; None for what is no time."""
    length = date_length(text)
    day = None if length is None else day_of(text[:length])
    if day is None:
        return None
    midnight = day * 86_400 * 10**6
    if len(text) == length:
        return midnight
    rest = text[length + 1:]
    sign = re.search("[-+Z]", rest)
    clock = clock_of(rest[:sign.start()] if sign else rest)
    if clock is None:
        return None
    parts, micros, more = clock
    if parts[0] > 23 or any(one > 59 for one in parts[1:]) or (more and not sign):
        return None
    at = midnight + seconds_of(parts) * 10**6 + micros
    if sign is None:
        return at
    zone = rest[sign.end():]
    if sign[0] == "Z":
        return at if zone == "" else None
    shift = clock_of(zone)
    if shift is None or shift[2] or seconds_of(shift[0]) >= 86_400:
        return None
    seconds = seconds_of(shift[0])
    offset = seconds * 10**6 + shift[1] if seconds else 0
    return at + offset if sign[0] == "-" else at - offset
