"""Check digits and small tables: what lets an OCR engine know that it has misread."""

import csv
import datetime
import pathlib

NATIONS = """汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 东乡
纳西 景颇 柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京
塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺""".split()  # GB/T 3304


def luhn(number):
    total = 0
    for place, digit in enumerate(map(int, reversed(number))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def resident_id(number):
    """GB 11643-1999, with the birth date that it must contain."""
    if len(number) != 18 or not number[:17].isdigit() or birth_date(number) is None:
        return False
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return number[17] == "10X98765432"[sum(int(c) * w for c, w in zip(number, weights)) % 11]


def birth_date(number):
    return date(number[6:10], number[10:12], number[12:14])


def date(year, month, day):
    """A calendar date, or None."""
    try:
        return datetime.date(int(year), int(month), int(day))
    except ValueError:
        return None


CREDIT_CODE_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def credit_code(code):
    """GB 32100-2015."""
    if len(code) != 18 or any(c not in CREDIT_CODE_ALPHABET for c in code):
        return False
    total = sum(CREDIT_CODE_ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(code[:17]))
    return CREDIT_CODE_ALPHABET.index(code[17]) == -total % 31


def registration_number(number):
    """The 15-digit number of older licences: ISO 7064, MOD 11,10."""
    rest = 10
    for digit in map(int, number[:14]):
        rest = ((rest + digit) % 10 or 10) * 2 % 11
    return len(number) == 15 and int(number[14]) == (11 - rest) % 10


def issuers():
    """The BIN table: who issued a card, by how its number begins."""
    with open(pathlib.Path(__file__).with_name("bins.csv"), encoding="utf-8", newline="") as file:
        rows = (line for line in file if not line.startswith("#"))
        return {row["bin"]: row for row in csv.DictReader(rows)}


def issuer(number, table):
    """The longest matching BIN wins: real tables hold BINs of 4 to 10 digits."""
    for length in range(10, 3, -1):
        if number[:length] in table:
            return table[number[:length]]
    return None
