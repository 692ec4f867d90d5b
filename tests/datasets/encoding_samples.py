"""200 samples of text in old encodings, and who finds which one it is."""

from collections.abc import Iterator
from typing import NamedTuple

import opencc
from conftest import ROOT

JAPANESE = """
部屋がとても綺麗で、スタッフの対応も良かったです。また利用したいと思います。
値段の割に狭くて、隣の声が聞こえて眠れませんでした。
朝食がおいしかった。駅から近くて便利です。
商品が届くまで二週間もかかりました。箱もつぶれていて残念です。
期待していた通りの味でした。リピートします！
画面に傷がありました。返品の手続きも面倒です。
友達に勧められて買いましたが、とても気に入っています。
音が小さすぎて使えない。お金の無駄だった。
海が見える部屋で最高の休日になりました。
サービスが悪い。二度と行きません。
この本は最後まで飽きずに読めた。おすすめです。
バッテリーがすぐ切れる。交換してほしい。
"""
KOREAN = """
방이 정말 깨끗하고 직원들도 친절했어요. 다음에 또 오고 싶습니다.
배송이 너무 늦고 포장도 엉망이었습니다.
맛있어요! 가격도 저렴하고 양도 많아요.
화면에 흠집이 있어서 반품했습니다. 실망이에요.
조용하고 위치가 좋아서 여행하기 편했습니다.
소리가 작아서 잘 안 들려요. 돈이 아깝습니다.
친구에게 추천받아서 샀는데 아주 만족합니다.
서비스가 별로예요. 다시는 안 갈 것 같아요.
책이 재미있어서 하루 만에 다 읽었어요.
배터리가 금방 닳아서 불편합니다.
아침 식사가 훌륭했고 전망도 좋았습니다.
색상이 사진과 달라요. 조금 아쉽네요.
"""
EUROPEAN = """
Très bel hôtel, le personnel était à l'écoute et la chambre spacieuse. À refaire !
Das Zimmer war schön, aber das Frühstück ließ zu wünschen übrig.
La habitación estaba limpia y el desayuno fue buenísimo. ¡Volveré el año que viene!
L'écran est arrivé cassé et le vendeur n'a jamais répondu à mes mél.
Für den Preis völlig in Ordnung, die Lieferung kam pünktlich.
El envío tardó más de tres semanas, y la caja llegó rota.
O quarto era pequeno e o serviço péssimo. Não recomendo a ninguém.
La qualità è ottima, però la spedizione è stata lentissima. Perciò quattro stelle.
Værelset var rent, men der var støj fra gaden hele natten.
Não gostei: a bateria só dura uma hora e o carregador é frágil.
I don’t like it – the “battery” lasts an hour… and the café next door is closed.
Rummet var fräscht och frukosten god, men sängen för hård.
"""


class Sample(NamedTuple):
    """A text as bytes.

    Attributes:
        encoding: it is in.
        content: the bytes.

    """

    encoding: str
    content: bytes


def samples() -> Iterator[Sample]:
    """Yield 200 samples: Chinese reviews as they are and in traditional characters, and others."""
    cases = (ROOT / "data/behaviour/cases.tsv").read_text("utf-8").splitlines()[1:]
    chinese = [text for case in cases if not (text := case.split("\t")[3]).isascii()]
    traditional = opencc.OpenCC("s2twp")
    for start in range(60):
        few = chinese[start * 7 % len(chinese) :][: 1 + start % 12]
        text = "".join(f"{line},{1 + 4 * (number % 2)}\n" for number, line in enumerate(few))
        yield Sample("gb18030", text.encode("gb18030"))
        changed = "".join(c if _fits(c, "big5") else "□" for c in traditional.convert(text))
        yield Sample("big5", changed.encode("big5"))
    for encoding, lines, count in (
        ("cp932", JAPANESE.strip().splitlines(), 26),
        ("cp949", KOREAN.strip().splitlines(), 26),
        ("cp1252", EUROPEAN.strip().splitlines(), 28),
    ):
        for start in range(count):
            few = (lines * 3)[start % len(lines) :][: 1 + start // 4]
            yield Sample(encoding, "".join(f"{line};5\n" for line in few).encode(encoding))


def _fits(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
