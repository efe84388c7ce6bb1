"""From the bytes of a picture to the fields of a document, with Tesseract.

The picture is read up to three times at different sizes, because Tesseract's mistakes on small Chinese print
change with the size while what it reads correctly does not. Each reading is turned into fields by the labels
that are printed on the document, and the readings then vote, field by field. Values that carry a check digit
take part only if it is right, so a misread number is dropped rather than passed on.

What cannot be read is an empty string. Nothing is ever guessed from a file's name or size, and a field is
completed from another one in just two places, both marked below: the birth date and gender that an ID number
contains, and the issuer that a card number begins with.
"""

import collections
import io
import os
import re
import subprocess
import time
import unicodedata

from PIL import Image, ImageDraw, ImageOps

import checks

LANGUAGE = "chi_sim"  # it reads Latin digits too; adding eng makes Tesseract take Chinese labels for English words
SECONDS = 20          # for all readings of one picture together
MAX_PIXELS = 50_000_000
ISSUERS = checks.issuers()

NO_DOCUMENT = 1001


class BadPicture(Exception):
    """The file is not a picture that can be decoded."""


class EngineTrouble(Exception):
    """Tesseract is missing, crashed or took too long."""


def recognise(kind, data):
    """(errorCode, description, recogResult): recogResult is None unless errorCode is 0."""
    picture = open_picture(data)
    if kind == "BusiCert":
        picture = bleach(picture)
    parse, sizes = DOCUMENTS[kind]
    deadline = time.monotonic() + SECONDS

    def look(width, layout, front):
        text = read(prepare(picture, width, front), layout, deadline)
        return parse(text) if shows(text) == kind else None

    readings, front = [], False
    for number, (width, layout) in enumerate(sizes):
        fields = look(width, layout, front)
        if fields and fields.get("face") == 0 and not front:
            # The front of an ID card. From here on leave its photograph out, and look once more: hair and glasses
            # are strokes, and strokes become characters.
            front = True
            fields = look(width, layout, front) or fields
        if fields:
            readings.append(fields)
        if number == 1 and not readings:
            break  # two looks and no such document: a third would only cost time
        if len(readings) == 2 and readings[0] == readings[1] and "" not in readings[0].values():
            break  # nothing left to decide
    if not readings:
        return NO_DOCUMENT, f"未识别到{NAMES[kind]}", None
    return 0, "识别成功", complete(kind, vote(readings))


# ── Pictures ──────────────────────────────────────────────────────────────────────────────────────────────

def open_picture(data):
    """Decode to one channel. Everything that can go wrong inside a decoder is the picture's fault."""
    try:
        image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "BMP", "WEBP"))
        if image.width * image.height > MAX_PIXELS:  # known before a pixel is decoded
            raise BadPicture("has too many pixels")
        image = ImageOps.exif_transpose(image)
        if "A" in image.getbands() or "transparency" in image.info:
            image = image.convert("RGBA")
            paper = Image.new("RGBA", image.size, "white")
            paper.alpha_composite(image)
            image = paper
        # The red channel: in it red seals and stamps are nearly as bright as paper, blue labels as dark as ink.
        return image.convert("RGB").getchannel("R")
    except BadPicture:
        raise
    except Exception as error:  # Pillow's decoders raise almost anything on hostile input
        raise BadPicture("is not a picture that can be decoded") from error


def bleach(image):
    """Make paper of what is nearly paper: the traces of a red seal, which a JPEG smears over its surroundings.

    Paper is the brightness that four fifths of a licence do not exceed, since print covers little of it. (On ID
    cards this would thin the strokes of names for nothing.)
    """
    left, paper = image.width * image.height * 0.8, 0
    for paper, pixels in enumerate(image.histogram()):
        left -= pixels
        if left <= 0:
            break
    return image.point([255 if level >= 0.75 * paper else level for level in range(256)])


def prepare(picture, width, blank_photograph):
    """Scale to a width at which print on a card that fills the picture is 20 to 50 pixels high."""
    height = max(1, min(4 * width, round(picture.height * width / picture.width)))
    image = picture.resize((width, height), Image.LANCZOS)
    if blank_photograph:
        box = (int(width * 0.66), int(height * 0.07), width, int(height * 0.76))
        ImageDraw.Draw(image).rectangle(box, fill=image.getpixel((int(width * 0.63), int(height * 0.30))))
    return image


def read(image, layout, deadline):
    """One run of Tesseract; its text, cleaned."""
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    command = ["tesseract", "-", "-", "-l", LANGUAGE, "--psm", str(layout)]
    # One thread each: on pictures this small OpenMP costs more than it gives, and calls run side by side.
    environment = dict(os.environ, OMP_THREAD_LIMIT="1")
    try:
        done = subprocess.run(command, input=out.getvalue(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              env=environment, timeout=max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise EngineTrouble("recognition took too long") from error
    except OSError as error:
        raise EngineTrouble("tesseract cannot be started") from error
    if done.returncode != 0:
        raise EngineTrouble(f"tesseract ended with status {done.returncode}")
    return clean(done.stdout.decode("utf-8", "replace"))


def clean(text):
    """Full-width forms to ASCII, and away with the quotation marks and stray stops Tesseract sees in gaps."""
    text = unicodedata.normalize("NFKC", text)
    text = re.sub("[“”‘’\"'`|]", " ", text)
    text = re.sub(r"(?<=\s)[。.,](?=\s)", " ", text)
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


# ── Which document is it? ─────────────────────────────────────────────────────────────────────────────────

FRONT = ("姓名", "性别", "民族", "出生", "住址", "公民身份")
BACK = ("签发机关", "有效期限", "居民身份证")
LICENCE = ("营业执照", "统一社会信用代码", "注册号", "法定代表人", "注册资本", "成立日期", "营业期限", "经营范围", "登记机关")


def count(labels, text):
    solid = re.sub(r"\s", "", text)
    return sum(label in solid for label in labels)


def shows(text):
    """The kind of document a text comes from, or None. Labels decide; a bank card has none, but a number."""
    identity, licence = count(FRONT + BACK, text), count(LICENCE, text)
    if licence >= 3 and licence > identity:
        return "BusiCert"
    if identity >= 2:
        return "IDCard"
    if licence < 2 and find_card_number(text):
        return "BankCard"
    return None


# ── Fields ────────────────────────────────────────────────────────────────────────────────────────────────

def by_label(text, labels):
    """{field: what stands between its label and the next label}, by a {field: pattern of its label}.

    A label counts at the start of a line or after a gap. In one layout mode of Tesseract the value follows on
    the same line and in another on the next; cutting at labels serves both.
    """
    pattern = "|".join(f"(?P<{field}>{label})" for field, label in labels.items())
    marks = list(re.finditer(rf"(?:^|(?<=\s))(?:{pattern})[ \t:]*", text, re.MULTILINE))
    values = dict.fromkeys(labels, "")
    for mark, following in zip(marks, marks[1:] + [None]):
        value = text[mark.end():following.start() if following else len(text)]
        values[mark.lastgroup] = values[mark.lastgroup] or value.strip()
    return values


def first_line(value):
    return re.sub(r"\s", "", value.split("\n")[0])


def find_card_number(text):
    for line in text.splitlines():
        for match in re.finditer(r"(?<![\dA-Za-z])\d(?: {0,2}\d){11,18}(?![\dA-Za-z])", line):
            number = match.group().replace(" ", "")
            if checks.luhn(number) and set(number) != {"0"} and not checks.resident_id(number):
                return number
    return ""


def bank_card(text):
    solid = re.sub(r"[ \t]", "", text)
    bank = re.search(r"[\u4e00-\u9fff]{2,12}?银行", solid)
    kind = re.search("准贷记卡|贷记卡|借记卡", solid)  # the longest first: 贷记卡 is part of 准贷记卡
    return {"cardNo": find_card_number(text), "bankName": bank.group() if bank else "",
            "cardType": kind.group() if kind else ""}


def id_card(text):
    front, back = count(FRONT, text), count(BACK, text)
    return id_front(text) if front > back else id_back(text)


def id_front(text):
    values = by_label(text, {
        "name": "姓 ?名", "gender": "性 ?别", "nation": "民 ?族", "birthday": "出 ?生", "address": "住 ?[址芷]",
        "idNo": r"公民身份\S?\S?码?"})
    # Where a short label is lost the value is still there, and some values can be recognised without it.
    gender = re.search("[男女]", values["gender"]) or re.search(r"^[男女](?=\s)", text, re.MULTILINE)
    birthday = re.search(r"(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})(?!\d)", text)
    return {"face": 0,
            "nation": next((n for n in sorted(checks.NATIONS, key=len, reverse=True)
                            if first_line(values["nation"]).startswith(n)), ""),
            "gender": gender.group() if gender else "",
            "birthday": "{}年{}月{}日".format(*birthday.groups()) if birthday and checks.date(*birthday.groups()) else "",
            "address": address(values["address"]),
            "name": person_in(values["name"]),
            "idNo": find_id_number(values["idNo"] or text)}


def person_in(value):
    name = re.search(r"[\u3400-\u9fff\U00020000-\U000323af·]{2,}", first_line(value))
    return name.group() if name else ""


def address(value):
    """Up to three lines; a line that holds neither digits nor two Chinese characters is dirt."""
    lines = [re.split(r"\s{2,}", line)[0] for line in value.split("\n")[:3]]
    return "".join(re.sub(r"\s", "", line) for line in lines if re.search(r"\d|[\u4e00-\u9fff]{2}|号", line))


def find_id_number(text):
    solid = re.sub(r"[ \t]", "", text).translate(str.maketrans("OolI】[]x×", "001111" + "1XX"))
    for match in re.finditer(r"(?=(\d{17}[\dX]))", solid):
        if checks.resident_id(match.group(1)):
            return match.group(1)
    return ""


def id_back(text):
    values = by_label(text, {"signOrg": "签 ?发 ?机 ?关", "term": "有 ?效 ?期 ?限"})
    day = r"(\d{4})\.?(\d{2})\.?(\d{2})"
    term = re.search(rf"({day})-({day}|长期)", re.sub(r"\s", "", values["term"] or text).replace("—", "-"))
    start = term.group(1) if term and checks.date(*term.group(2, 3, 4)) else ""
    end = term.group(5) if term and (term.group(5) == "长期" or checks.date(*term.group(6, 7, 8))) else ""
    return {"face": 1, "startDate": start, "endDate": end, "signOrg": first_line(values["signOrg"])}


def licence(text):
    values = by_label(text, {
        "creditCode": "统一社会信用代码", "number": "注册号", "corpName": "名 ?称", "corpType": "(?:公司|主体)?类 ?型",
        "address": "住 ?所|经营场所|营业场所", "represent": "法定代表人(?:姓名)?|负责人|经营者|投资人", "capital": "注册资本",
        "foundDate": "成立日期|注册日期", "expDate": "营业期限", "busiScrope": "经营范围", "regOrg": "登记机关",
        "regDate": "登记日期|发证日期|核准日期"})
    capital = re.search(r"[\w.,()]*?元整?", first_line(values["capital"]))
    kind = re.search("[正副]本", re.sub(r"[ \t]", "", text))
    return {"regOrg": first_line(values["regOrg"]),
            "busiScrope": re.sub(r"\s", "", values["busiScrope"]),
            "certNo": find_licence_number(values),
            "regDate": day_in(values["regDate"]),
            "capital": capital.group() if capital else "",
            "address": re.sub(r"\s", "", values["address"]).lstrip("。,."),
            "expDate": term_in(values["expDate"]),
            "represent": person_in(values["represent"]),
            "certType": kind.group() if kind else "",
            "corpName": re.sub(r"\s", "", values["corpName"]),
            "corpType": first_line(values["corpType"]),
            "foundDate": day_in(values["foundDate"])}


def find_licence_number(values):
    # The alphabet of a credit code leaves out the letters that look like digits, so those can only be digits.
    code = first_line(values["creditCode"]).upper().translate(str.maketrans("OISZ", "0152"))[:18]
    if checks.credit_code(code):
        return code
    number = re.match(r"\d{15}(?!\d)", first_line(values["number"]))
    return number.group() if number and checks.registration_number(number.group()) else ""


def day_in(value):
    match = re.search(r"(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日", value)
    return re.sub(r"\s", "", match.group()) if match and checks.date(*match.groups()) else ""


def term_in(value):
    value = re.sub(r"\s", "", value)
    days = [day_in(part) for part in value.split("至")]
    if len(days) == 2 and days[0] and (days[1] or "长期" in value):
        return f"{days[0]}至{days[1] or '长期'}"
    return "长期" if "长期" in value or "永久" in value else days[0]


# ── From several readings, one result ─────────────────────────────────────────────────────────────────────

def vote(readings):
    """The most frequent value of each field that was read; of equals, the first reading's."""
    if "face" in readings[0]:  # one picture, one side: the first reading decides which
        readings = [r for r in readings if r["face"] == readings[0]["face"]]
    result = {}
    for field in readings[0]:
        seen = collections.Counter(r[field] for r in readings if r[field] != "")
        result[field] = seen.most_common(1)[0][0] if seen else ""
    return result


def complete(kind, fields):
    """From numbers whose check digit was right, and only what was not read in print (or is not printed)."""
    if kind == "BankCard":
        found = checks.issuer(fields["cardNo"], ISSUERS) or {}
        fields["bankId"] = found.get("bankId", "")  # no card has it printed
        fields["bankName"] = fields["bankName"] or found.get("bankName", "")
        fields["cardType"] = fields["cardType"] or found.get("cardType", "")
    if kind == "IDCard" and fields.get("idNo"):
        born = checks.birth_date(fields["idNo"])
        fields["birthday"] = fields["birthday"] or f"{born.year}年{born.month}月{born.day}日"
        fields["gender"] = fields["gender"] or "女男"[int(fields["idNo"][16]) % 2]
    return fields


NAMES = {"BankCard": "银行卡", "IDCard": "身份证", "BusiCert": "营业执照"}
# What parses each document, and the widths and layout modes it is read at. Mode 11 takes scattered text as it
# comes and keeps its head beside a photograph; mode 6 takes the picture for one block and keeps rows together.
DOCUMENTS = {
    "BankCard": (bank_card, ((640, 6), (640, 11), (960, 6))),
    "IDCard": (id_card, ((700, 11), (800, 6), (640, 11))),
    "BusiCert": (licence, ((900, 6), (1100, 6), (1500, 6))),
}
