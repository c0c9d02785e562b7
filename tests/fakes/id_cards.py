"""Generated resident ID cards: both sides as pictures, also rotated, blurred and with glare. Nobody's real card."""

import io
import random
from dataclasses import dataclass, replace
from datetime import date, timedelta

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from server.counter.id_card import check_digit

FONT = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
SIZE = (1012, 638)  # 85.6 × 54 mm at 300 dpi


@dataclass(frozen=True, slots=True)
class Card:
    """What is printed on a card."""

    name: str = "王小明"
    sex: str = "男"
    ethnicity: str = "汉"
    birth: date = date(1990, 3, 7)
    address: str = "北京市朝阳区和平街道和平路1号院2号楼301室"
    id_number: str = "110105199003074536"
    authority: str = "北京市公安局朝阳分局"
    valid_from: date = date(2018, 5, 20)
    valid_until: date | None = date(2038, 5, 20)

    def with_sequence(self, sequence: str) -> "Card":
        """The same person with other last digits; the check digit follows."""
        first = self.id_number[:14] + sequence
        return replace(self, id_number=first + check_digit(first), sex="男" if int(sequence[-1]) % 2 else "女")

    @property
    def fields(self) -> dict[str, str]:
        """What reading both sides should give."""
        return {
            "name": self.name,
            "sex": self.sex,
            "ethnicity": self.ethnicity,
            "birth": self.birth.isoformat(),
            "address": self.address,
            "id_number": self.id_number,
            "authority": self.authority,
            "valid_from": self.valid_from.isoformat(),
            "valid_until": self.valid_until.isoformat() if self.valid_until else "长期",
        }


_FAMILIES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许邓冯韩曹彭曾萧田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭"
)
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国志鹏雪梅春燕浩宇欣怡子轩梓涵俊凯晨曦雨婷思远"
_PLACES = (
    ("110105", "北京市朝阳区", "北京市公安局朝阳分局"),
    ("310115", "上海市浦东新区", "上海市公安局浦东分局"),
    ("440305", "广东省深圳市南山区", "深圳市公安局南山分局"),
    ("510104", "四川省成都市锦江区", "成都市公安局锦江分局"),
    ("330106", "浙江省杭州市西湖区", "杭州市公安局西湖区分局"),
    ("650102", "新疆乌鲁木齐市天山区", "乌鲁木齐市公安局天山区分局"),
    ("371102", "山东省日照市东港区", "日照市公安局东港分局"),
    ("430102", "湖南省长沙市芙蓉区", "长沙市公安局芙蓉分局"),
)
_STREETS = ("和平路", "人民中路", "解放大道", "学院路", "建设西街", "长江路", "文化东路", "迎宾大道")
_MINORITIES = (
    ("阿依古丽·买买提", "维吾尔"),
    ("金哲洙", "朝鲜"),
    ("扎西多吉", "藏"),
    ("马小军", "回"),
    ("乌兰其其格", "蒙古"),
)


def people(count: int, seed: int = 7) -> list[Card]:
    """Cards of so many different invented people; the same ones each time."""
    pick = random.Random(seed)
    cards = []
    for number in range(count):
        region, place, authority = pick.choice(_PLACES)
        birth = date(1945, 1, 1) + timedelta(days=pick.randrange(365 * 62))
        male = pick.random() < 0.5
        sequence = f"{pick.randrange(10, 99)}{pick.randrange(5) * 2 + male}"
        first = f"{region}{birth:%Y%m%d}{sequence}"
        name, ethnicity = pick.choice(_FAMILIES) + "".join(pick.sample(_GIVEN, pick.choice((1, 2, 2)))), "汉"
        if number % 6 == 5:
            name, ethnicity = _MINORITIES[number // 6 % len(_MINORITIES)]
        rooms = f"{pick.randrange(1, 300)}号{pick.randrange(1, 30)}栋{pick.randrange(101, 2699)}室"
        begins = date(2012 + pick.randrange(12), pick.randrange(1, 13), pick.randrange(1, 28))
        ends = None if birth.year < 1965 and pick.random() < 0.7 else begins.replace(year=begins.year + 20)
        cards.append(
            Card(
                name=name,
                sex="男" if male else "女",
                ethnicity=ethnicity,
                birth=birth,
                address=place + pick.choice(_STREETS) + rooms,
                id_number=first + check_digit(first),
                authority=authority,
                valid_from=begins,
                valid_until=ends,
            )
        )
    return cards


def front(card: Card) -> Image.Image:
    """人像面."""
    image, draw = _blank((222, 236, 244))
    small, large = _font(30), _font(38)
    blue, black = (60, 110, 160), (25, 25, 30)
    for label, x, y in (("姓名", 60, 62), ("性别", 60, 140), ("民族", 300, 140), ("出生", 60, 216), ("住址", 60, 292)):
        draw.text((x, y + 6), label, blue, small)
    draw.text((155, 58), card.name, black, large)
    draw.text((155, 136), card.sex, black, large)
    draw.text((400, 136), card.ethnicity, black, large)
    draw.text((155, 212), f"{card.birth.year}", black, large)
    draw.text((255, 218), "年", blue, small)
    draw.text((320, 212), f"{card.birth.month}", black, large)
    draw.text((380, 218), "月", blue, small)
    draw.text((440, 212), f"{card.birth.day}", black, large)
    draw.text((500, 218), "日", blue, small)
    for line, text in enumerate(card.address[at : at + 12] for at in range(0, len(card.address), 12)):
        draw.text((155, 288 + 52 * line), text, black, _font(36))
    draw.text((60, 548), "公民身份号码", blue, small)
    draw.text((340, 536), card.id_number, black, _font(46))
    _portrait(draw, (690, 90))
    return image


def back(card: Card) -> Image.Image:
    """国徽面."""
    image, draw = _blank((226, 240, 236))
    draw.ellipse((60, 60, 210, 210), fill=(205, 60, 50))
    draw.ellipse((85, 85, 185, 185), outline=(240, 200, 90), width=6)
    draw.text((300, 70), "中华人民共和国", (30, 30, 35), _font(62))
    draw.text((300, 175), "居民身份证", (30, 30, 35), _font(74))
    black = (25, 25, 30)
    until = f"{card.valid_until:%Y.%m.%d}" if card.valid_until else "长期"
    draw.text((150, 430), "签发机关", (60, 110, 160), _font(32))
    draw.text((330, 426), card.authority, black, _font(36))
    draw.text((150, 520), "有效期限", (60, 110, 160), _font(32))
    draw.text((330, 516), f"{card.valid_from:%Y.%m.%d}-{until}", black, _font(36))
    return image


def photographed(image: Image.Image, *, turned: float = 0, blur: float = 0, glare: bool = False) -> Image.Image:
    """On a table, `turned` by degrees, `blur` as a radius in pixels, with a lamp's reflection."""
    table = Image.new("RGB", (1280, 960), (92, 84, 76))
    turned_card = image.convert("RGBA").rotate(turned, expand=True, resample=Image.Resampling.BICUBIC)
    if turned_card.width > 1240 or turned_card.height > 920:
        turned_card.thumbnail((1240, 920))
    table.paste(turned_card, ((1280 - turned_card.width) // 2, (960 - turned_card.height) // 2), turned_card)
    if glare:
        light = Image.new("L", table.size, 0)
        ImageDraw.Draw(light).ellipse((760, 120, 1240, 520), fill=190)
        white = Image.new("RGB", table.size, (255, 255, 250))
        table = Image.composite(white, table, light.filter(ImageFilter.GaussianBlur(70)))
    return table.filter(ImageFilter.GaussianBlur(blur)) if blur else table


def jpeg(image: Image.Image, quality: int = 88) -> bytes:
    """As a camera would hand it over."""
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=quality)
    return out.getvalue()


def _blank(colour: tuple[int, int, int]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", SIZE, colour)
    draw = ImageDraw.Draw(image)
    for y in range(0, SIZE[1], 14):  # a faint guilloche, so that the paper is not flat
        draw.line((0, y, SIZE[0], y + 40), fill=tuple(part - 10 for part in colour), width=2)
    return image, draw


def _portrait(draw: ImageDraw.ImageDraw, at: tuple[int, int]) -> None:
    x, y = at
    draw.rectangle((x, y, x + 250, y + 330), fill=(235, 240, 245))
    draw.ellipse((x + 65, y + 50, x + 185, y + 200), fill=(225, 190, 165))
    draw.pieslice((x + 60, y + 35, x + 190, y + 170), 180, 360, fill=(35, 30, 30))
    draw.pieslice((x + 20, y + 210, x + 230, y + 450), 180, 360, fill=(40, 55, 85))


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size, index=2)  # SC
