"""The words of seals in other writings than Chinese.

In `forms`, `brands` and `middle`, `%` stands for a brand, `@` for a place, `#` for a number, `$` for a date, `~` for letters or a syllable
made up, and `|` parts lines.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Texts:
    """The vocabulary of one writing."""

    brands: tuple[str, ...]
    places: tuple[str, ...]
    forms: tuple[str, ...]
    below: tuple[str, ...]
    middle: tuple[str, ...]
    stamps: tuple[str, ...]
    people: tuple[str, ...] = ()


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


#: Labels of business papers in Latin script, and the numbers that firms have.
LABELS = _list(
    "Invoice, Invoice No., Date of issue, Due date, Delivery date, Customer, Supplier, Bank account, Payment, Quantity, Unit price, "
    "Amount, Total, Subtotal, VAT, Order No., Delivery note, Rechnung, Kunde, Menge, Betrag, Gesamt, Lieferung, Datum, Facture, "
    "Client, Montant, Echéance, Quantité, Faktura, Zákazník, Množstvo, Cena, Spolu, Dátum, Splatnosť, Częstość, Ilość, Razem, Data, "
    "Factura, Cantidad, Fecha, Importe, Descrizione, Quantità, Prezzo, Terms and conditions, Signature, Received by, Shipped to, "
    "Description, Remarks"
)
NUMBERS = _list("Reg. No., VAT, Tax No., HRB, IČO:, DIČ:, NIP, REGON, Fax, Tel.:, Mobil:, USt-IdNr., P. IVA, CIF, SIRET, Account")

TEXTS: dict[str, Texts] = {
    "latin": Texts(
        brands=_list(
            "OLYMPUS, GLOBAL TRADE, SUNRISE, PACIFIC, HARBOUR, NORTHERN STAR, GOLDEN BRIDGE, DVOŘÁK, NOVÁK, MÜLLER, GARCÍA, "
            "FERREIRA, LEBLANC, KOWALSKI, ROSSI, ANDERSSON, OCEANIC, DELTA, OMEGA, APEX, "
            "SILVER LINE, EASTERN, SUMMIT, FALCON, PIONEER, UNITED, ROYAL, CONTINENTAL, EVERGREEN, HORIZON, JADE DRAGON, "
            "RIVERSIDE, QUANTUM, ZENITH, WESTFIELD, MAPLE, KINGSTON, BLUEWAVE, PHOENIX, HUA XIN, "
            "XINGTAI, JIANGNAN, DONGFANG, SHENGDA, HONGYUN, ZHONGTIAN, YUANTONG, BAOLI, MINGZHU, FUJI, SAKURA, HANJIN, TAN AH HUAT"
        ),
        places=_list(
            "HONG KONG, SINGAPORE, LONDON, NEW YORK, SHANGHAI, BEIJING, SHENZHEN, GUANGZHOU, PARIS, BERLIN, PRAHA, BRATISLAVA, "
            "KOŠICE, WARSZAWA, MADRID, LISBOA, MILANO, WIEN, ZÜRICH, KUALA LUMPUR, MANILA, "
            "JAKARTA, BANGKOK, SYDNEY, TORONTO, DUBAI, NAIROBI, LAGOS, CAPE TOWN, SÃO PAULO, BUENOS AIRES, MÉXICO, BOGOTÁ, "
            "MUMBAI, NEW DELHI, HELSINKI, STOCKHOLM, OSLO, KØBENHAVN, DUBLIN"
        ),
        forms=_list(
            "% CO. LTD, % COMPANY LIMITED, % (@) LTD., % INTERNATIONAL LIMITED, % HOLDINGS PTE LTD, % s.r.o., % GmbH, % S.A., "
            "% INC., % TRADING CO. LTD., % TECHNOLOGY (@) CO. LTD, % UNIVERSITY, @ CHAMBER OF COMMERCE, "
            "% SHIPPING AGENCY, REPUBLIC OF @, CITY OF @, EMBASSY OF @, % BANK PLC, % HOSPITAL, NOTARY PUBLIC @, "
            "MINISTRY OF FINANCE, % Sp. z o.o., % Ltda., % SDN. BHD., % INDUSTRIAL CORPORATION, % LOGISTICS B.V."
        ),
        below=_list(
            "REG. NO. #, LIMITED, APPROVED, OFFICIAL SEAL, COMPANY SEAL, SINCE 1987, IČO: #, NIP #, TEL #, CUSTOMS, CERTIFIED, P.O. BOX #"
        ),
        middle=_list(
            "COMPANY|SEAL, APPROVED, COMMON|SEAL, PAID, RECEIVED|$, CORPORATE|SEAL, OFFICIAL, ORIGINAL, COPY, %, NOTARY|PUBLIC, "
            "DATE|$, $, CONTRACT|SEAL, QC|PASSED, AUTHORIZED|SIGNATURE"
        ),
        stamps=_list(
            "APPROVED, PAID, RECEIVED, UHRADENÉ, CONFIDENTIAL, ORIGINAL, COPY, CANCELLED, VOID, URGENT, FINAL, DRAFT, "
            "CERTIFIED TRUE COPY, CHECKED, VERIFIED, Please Sign and Return, Received in Good Order, "
            "FOR AND ON BEHALF OF, Authorized Signature(s), PAGADO, BEZAHLT, ZAPŁACONO, PAYÉ, APROVADO, FREIGHT PREPAID, "
            "SHIPPED ON BOARD, INSPECTED, PASSED"
        ),
    ),
    "cyrillic": Texts(
        brands=_list(
            "РОМАШКА, СТРОЙИНВЕСТ, ВОСТОК, СЕВЕР, ГАРАНТ, АЛЬФА, ВЕКТОР, ЭНЕРГИЯ, ПРОГРЕСС, ЮПИТЕР, ЩИТ, ЖЕМЧУЖИНА, ЦЕНТР, ФОРТУНА, "
            "ЭТАЛОН, ТРАНСЛОГИСТИК, МЕБЕЛЬ, ЮГ-СЕРВИС, БЪЛГАРИЯ, Берёзка, Лесная поляна, Новый дом, Северный ветер, Русский чай, "
            "Солнечный берег, Уют, Дельта, Меридиан, Горизонт, Империя вкуса, Первый шаг, Красный октябрь"
        ),
        places=_list(
            "г. МОСКВА, г. САНКТ-ПЕТЕРБУРГ, г. ЕКАТЕРИНБУРГ, г. НОВОСИБИРСК, г. КАЗАНЬ, г. МИНСК, г. АЛМАТЫ, г. КИЇВ, РОССИЯ, "
            "РОССИЙСКАЯ ФЕДЕРАЦИЯ, г. ВЛАДИВОСТОК, г. УФА, г. СОФИЯ, г. ТЮМЕНЬ, г. ХАБАРОВСК, г. Самара, г. Омск, г. Челябинск, "
            "г. Ростов-на-Дону, г. Пермь, г. Воронеж, г. Волгоград, г. Краснодар, г. Саратов, г. Ижевск, г. Барнаул, г. Иркутск, "
            "г. Ульяновск, г. Ярославль, г. Махачкала, г. Оренбург, г. Кемерово, г. Рязань, г. Астрахань, г. Пенза, г. Липецк, "
            "г. Киров, г. Чебоксары, г. Тула, г. Калининград, г. Курск, г. Ставрополь, г. Сочи, г. Тверь, г. Магнитогорск, "
            "г. Брянск, г. Иваново, г. Белгород, г. Сургут, г. Владимир, г. Чита, г. Архангельск, г. Калуга, г. Смоленск, г. Вологда, "
            "Московская область, Республика Татарстан, Краснодарский край, Ленинградская область, Республика Беларусь"
        ),
        forms=_list(
            "ОБЩЕСТВО С ОГРАНИЧЕННОЙ ОТВЕТСТВЕННОСТЬЮ, Общество с ограниченной ответственностью, АКЦИОНЕРНОЕ ОБЩЕСТВО «%», "
            "ЗАКРЫТОЕ АКЦИОНЕРНОЕ ОБЩЕСТВО, ИНДИВИДУАЛЬНЫЙ ПРЕДПРИНИМАТЕЛЬ, МИНИСТЕРСТВО ЗДРАВООХРАНЕНИЯ, ГОСУДАРСТВЕННОЕ УЧРЕЖДЕНИЕ, "
            "ФЕДЕРАЛЬНАЯ НАЛОГОВАЯ СЛУЖБА, УПРАВЛЕНИЕ ОБРАЗОВАНИЯ @, ООО «%» @, МУНИЦИПАЛЬНОЕ БЮДЖЕТНОЕ УЧРЕЖДЕНИЕ, "
            "ОТКРЫТОЕ АКЦИОНЕРНОЕ ОБЩЕСТВО «%», Закрытое акционерное общество «%», ПУБЛИЧНОЕ АКЦИОНЕРНОЕ ОБЩЕСТВО, "
            "Некоммерческое партнёрство «%», Автономная некоммерческая организация, ОРГАН ПО СЕРТИФИКАЦИИ ПРОДУКЦИИ «%», "
            "ИСПЫТАТЕЛЬНАЯ ЛАБОРАТОРИЯ, Государственное унитарное предприятие, ТОРГОВО-ПРОМЫШЛЕННАЯ ПАЛАТА, АДМИНИСТРАЦИЯ @, "
            "МЕДИЦИНСКИЙ ЦЕНТР «%», Товарищество собственников жилья, ЧАСТНОЕ УНИТАРНОЕ ПРЕДПРИЯТИЕ «%», Садоводческое товарищество"
        ),
        below=_list(
            "ОГРН #, ИНН #, ОГРН #, * МОСКВА *, ДЛЯ СЕРТИФИКАТОВ, ДЛЯ ДОКУМЕНТОВ, РФ, ОГРНИП #, ОКПО #, ДЛЯ СПРАВОК, КПП #, "
            "ДЛЯ ДОГОВОРОВ, ДЛЯ НАКЛАДНЫХ, ОТДЕЛ ПРОДАЖ, рег. № #, ДЛЯ ПАКЕТОВ, БУХГАЛТЕРИЯ, СКЛАД"
        ),
        middle=_list(
            "«%», %, ДЛЯ|ДОКУМЕНТОВ, ООО|«%», ДЛЯ|СПРАВОК, ПЕЧАТЬ, ОТДЕЛ|КАДРОВ, НОТАРИУС, ВРАЧ, «~», ~, ~|@, «~», ЗАО|«%», "
            "%|@, ~|РОССИЯ, для|договоров, МОСКВА, «%»|~, ОАО|«~»"
        ),
        stamps=_list(
            "ОПЛАЧЕНО, КОПИЯ ВЕРНА, ПРИНЯТО, УТВЕРЖДЕНО, ПОЛУЧЕНО, ВЫДАНО, ПОГАШЕНО, АННУЛИРОВАНО, СОГЛАСОВАНО, ВХ. №, ДЛЯ ДОКУМЕНТОВ, "
            "ГЕНЕРАЛЬНЫЙ ДИРЕКТОР, ГЛАВНЫЙ БУХГАЛТЕР, КОНТРОЛЁР, ОТК, ОТГРУЖЕНО, В АРХИВ"
        ),
    ),
    "viet": Texts(
        brands=_list(
            "HOÀNG ANH, THÀNH CÔNG, VIỆT TIẾN, MINH PHÁT, ĐẠI DƯƠNG, SAO VÀNG, HƯNG THỊNH, TRƯỜNG SƠN, ÁNH DƯƠNG, PHÚ QUÝ, "
            "BÌNH MINH, KIM LIÊN, SÔNG HỒNG, NGỌC LINH, TÂN Á, ĐỨC GIANG, HẢI ĐĂNG, VẠN XUÂN, QUỐC TẾ, THIÊN ÂN, "
            "~ ~, ~ ~, ~ ~ ~"
        ),
        places=_list(
            "THÀNH PHỐ HỒ CHÍ MINH, HÀ NỘI, TP. ĐÀ NẴNG, T.P HỒ CHÍ MINH, TỈNH BÌNH DƯƠNG, TỈNH ĐỒNG NAI, QUẬN 1, HẢI PHÒNG, "
            "TỈNH NGHỆ AN, CẦN THƠ, TỈNH QUẢNG NINH, HUYỆN CỦ CHI, TỈNH BẮC NINH, TỈNH LÂM ĐỒNG, QUẬN TÂN BÌNH, "
            "TỈNH THỪA THIÊN HUẾ"
        ),
        forms=_list(
            "SỞ KẾ HOẠCH VÀ ĐẦU TƯ, CÔNG TY TNHH %, CÔNG TY CỔ PHẦN %, ỦY BAN NHÂN DÂN, CÔNG TY TNHH MỘT THÀNH VIÊN %, "
            "CỤC THUẾ @, TRƯỜNG ĐẠI HỌC %, BỘ GIÁO DỤC VÀ ĐÀO TẠO, SỞ Y TẾ, NGÂN HÀNG TMCP %, DOANH NGHIỆP TƯ NHÂN %, "
            "BỆNH VIỆN ĐA KHOA %, VĂN PHÒNG CÔNG CHỨNG, TÒA ÁN NHÂN DÂN, CÔNG AN @, M.S.D.N: # - C.T.T.N.H.H"
        ),
        below=_list("M.S.D.N: #, M.S.T: #, MSDN #, SỐ ĐK: #, CHI NHÁNH, M.S.C.N: #"),
        middle=_list(
            "PHÒNG|ĐĂNG KÝ|KINH DOANH, CÔNG TY|TNHH|%, CÔNG TY|CỔ PHẦN|%, %, PHÒNG|TÀI CHÍNH, VĂN PHÒNG, CÔNG TY|TNHH, "
            "CHI NHÁNH|%, TRƯỜNG|ĐẠI HỌC, SỞ|Y TẾ"
        ),
        stamps=_list(
            "ĐÃ THU TIỀN, ĐÃ THANH TOÁN, SAO Y BẢN CHÍNH, GIÁM ĐỐC, KẾ TOÁN TRƯỞNG, CÔNG VĂN ĐẾN, BẢN SAO, ĐÃ KIỂM TRA, HỎA TỐC, "
            "TUYỆT MẬT, TỔNG GIÁM ĐỐC, PHÓ GIÁM ĐỐC"
        ),
    ),
    "ko": Texts(
        brands=_list(
            "삼성전자, 현대건설, 대한무역, 한국통신, 동방물산, 서울상사, 미래기술, 하나은행, 우리산업, 태평양, 금강제화, "
            "세종문화, 백두산업, 한라개발, 신세계, 국민연금, 강남병원, 제일기획"
        ),
        places=_list("서울특별시, 부산광역시, 대구광역시, 인천광역시, 광주광역시, 경기도, 강원도, 제주도, 대한민국, 충청남도, 전라북도"),
        forms=_list("주식회사 %, % 주식회사, @ 교육청, (주)%, 사단법인 %, @ 시청, 재단법인 %, 학교법인 %, %유한회사, 대한민국 @"),
        below=_list("대표이사, 주식회사, 서울, 법인인감, 등록번호 #"),
        middle=_list("대표|이사, 인감, 사용|인감, %, 직인, 계약|전용, $, 확인"),
        stamps=_list("대표이사, 직인, 사용인감, 인감, 확인, 결재, 접수, 원본대조필, 영수함, 대표이사인, 주식회사인"),
        people=_list(
            "김철수, 이영희, 박지성, 최민호, 정유진, 강감찬, 조성민, 윤동주, 장보고, 임꺽정, 한석봉, 오세훈, 서정주, 신사임당, "
            "권율, 황진이, 안중근, 송강호, 전지현, 홍길동인, 김민준인, 이서연인"
        ),
    ),
    "ja": Texts(
        brands=_list(
            "山田商事, 東京電力, 大阪工業, 鈴木製作所, 佐藤建設, 富士精密, さくら銀行, 日本通運, 京都物産, 北海道開発, "
            "アジア貿易, ミライ技研, 東洋紡績, 三和化学, 桜井運輸, 田中電機"
        ),
        places=_list("東京都, 大阪府, 京都府, 北海道, 神奈川県, 愛知県, 福岡県, 横浜市, 名古屋市, 札幌市, 沖縄県, 新宿区"),
        forms=_list("株式会社%, %株式会社, 有限会社%, @役所, 合同会社%, 一般社団法人%, @教育委員会, 学校法人%"),
        below=_list("代表取締役, 東京支店, 営業部, 総務課, 経理部, 登録番号#"),
        middle=_list("代表|取締役|之印, 銀行|之印, 受付|$, 検査済, 領収, 承認, 角印, $, 実印, 会社|之印"),
        stamps=_list("代表取締役之印, 之印, 受付, 検収, 承認, 領収済, 至急, 親展, 見本, 契約済, 請求書在中, 速達, 取扱注意, 社印"),
        people=_list(
            "山田, 鈴木, 佐藤, 高橋, 田中, 伊藤, 渡辺, 中村, 小林, 加藤, 吉田, 山本, 斎藤, 松本, 井上, 木村, 清水, 長谷川, "
            "佐々木, 山田太郎, 鈴木一郎, 高橋花子, 小林之印, 渡邊, 齋藤, 栗原, 桜井"
        ),
    ),
}
