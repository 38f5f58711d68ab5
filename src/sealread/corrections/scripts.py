"""One script in a line: letters and characters that look alike in two scripts are those of the script that the rest of the line is in.

А, В and С are Cyrillic in one line and Latin in another, 規 is the Traditional form of 规; a network that sees little of a character
mixes them, people do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sealread.text import Steps
from sealread.types import Recognition

#: Simplified character and Traditional form, side by side; only one-to-one pairs that seals use.
_PAIRS = (
    "门門东東丽麗义義乌烏乐樂乔喬书書买買乱亂争爭亚亞产產亩畝亲親亿億仅僅从從仓倉仪儀众眾优優会會伞傘伟偉传傳伤傷伦倫伪偽体體余餘"
    "侠俠侣侶侦偵侧側侨僑俭儉债債倾傾偿償储儲儿兒兑兌党黨兰蘭关關兴興养養兽獸冈岡册冊写寫军軍农農"
    "冯馮冲衝决決况況冻凍净淨凉涼减減凤鳳凭憑凯凱击擊划劃刘劉则則刚剛创創别別剂劑剑劍剧劇劝勸办辦务務动動励勵劲勁劳勞势勢勋勛区區"
    "医醫华華协協单單卖賣卢盧卫衛厂廠厅廳历歷厉厲压壓厦廈县縣参參双雙发發变變叶葉号號叹嘆吓嚇"
    "吕呂吗嗎听聽启啟吴吳员員响響哑啞唤喚团團园園围圍国國图圖圆圓圣聖场場坏壞块塊坚堅坛壇坝壩垄壟垒壘垦墾垫墊城城执執报報扩擴扫掃"
    "扬揚抚撫抢搶护護担擔拟擬拥擁择擇挂掛挡擋挥揮损損换換据據掷擲搁擱摄攝摆擺摇搖敌敵数數斋齋斗鬥"
    "断斷无無旧舊时時昙曇显顯晋晉晓曉暂暫术術机機杀殺杂雜权權条條来來杨楊极極构構枪槍柜櫃标標栋棟栏欄树樹样樣桥橋桦樺档檔桢楨梦夢"
    "检檢楼樓横橫欢歡欧歐岁歲归歸残殘毁毀毕畢气氣汇匯汉漢汤湯沟溝沪滬泪淚泸瀘泻瀉泽澤洁潔洒灑浅淺浆漿"
    "济濟浏瀏浓濃涂塗涛濤润潤涨漲温溫湾灣湿濕满滿滨濱灭滅灯燈灵靈灾災炉爐炼煉点點烂爛热熱爱愛牵牽状狀独獨环環现現珑瓏电電画畫畅暢"
    "疗療皱皺盐鹽监監盖蓋盘盤码碼砖磚础礎确確礼禮祸禍离離种種称稱积積稳穩穷窮竞競笔筆签簽简簡粮糧"
    "纠糾红紅约約级級纪紀纬緯纯純纱紗纲綱纳納纵縱纷紛纸紙纹紋纺紡线線练練组組细細织織终終绍紹经經结結给給络絡绝絕统統继繼绩績续續"
    "维維绵綿绿綠编編缘緣缩縮网網罗羅罚罰职職联聯聪聰肃肅肠腸肤膚胜勝胶膠脑腦脚腳节節芦蘆苏蘇苹蘋茧繭荐薦"
    "荣榮药藥莲蓮获獲萧蕭营營蓝藍虑慮虫蟲虽雖蚀蝕补補装裝见見观觀规規视視览覽觉覺誉譽计計订訂认認讨討让讓训訓议議讯訊记記讲講许許"
    "论論设設访訪证證评評识識诉訴词詞译譯试試诗詩诚誠话話该該详詳语語误誤说說请請诸諸课課谁誰调調谈談谊誼谋謀"
    "谐諧谢謝谱譜贝貝负負贡貢财財责責败敗货貨质質贩販贫貧购購贯貫贴貼贵貴贷貸贸貿费費贺賀资資赋賦赏賞赔賠赖賴赚賺赛賽赞贊赠贈赢贏"
    "赵趙跃躍车車轨軌转轉轮輪软軟轴軸轻輕载載较較辅輔辆輛辉輝输輸辖轄边邊辽遼达達迁遷过過运運还還这這进進远遠违違连連"
    "迟遲适適选選递遞逻邏遗遺邓鄧郑鄭邮郵邻鄰郁鬱酿釀释釋里裡针針钉釘钟鐘钢鋼钥鑰钱錢钻鑽铁鐵铜銅铝鋁铭銘银銀链鏈销銷锁鎖锅鍋锋鋒"
    "锐銳错錯锡錫锦錦键鍵锻鍛镇鎮镜鏡长長闭閉问問间間闻聞闽閩阀閥阁閣队隊阳陽阴陰阵陣阶階际際陆陸陈陳陕陝险險随隨隐隱"
    "难難雾霧静靜韩韓页頁顶頂项項顺順须須顾顧顿頓预預领領频頻题題颜顏额額风風飞飛饭飯饮飲饰飾馆館馈饋马馬驰馳驱驅驻駐驾駕验驗骆駱"
    "骏駿骑騎鱼魚鲁魯鲜鮮鲤鯉鸟鳥鸡雞鸣鳴鸿鴻鹅鵝鹏鵬鹤鶴麦麥黄黃齐齊龄齡龙龍龚龔专專业業丛叢丝絲严嚴丧喪个個临臨为為举舉"
    "么麼习習乡鄉云雲务務万萬与與价價份份伙夥后後坂坂备備复復够夠头頭夹夾夺奪奋奮妇婦妈媽娱娛婴嬰孙孫学學宁寧宝寶实實宠寵审審宪憲"
    "宫宮宽寬宾賓对對寻尋导導寿壽将將尔爾尘塵尝嘗层層属屬岂豈岗崗岛島峡峽币幣帅帥师師帐帳帜幟带帶帮幫库庫应應庙廟庞龐废廢"
    "广廣庄莊庆慶开開异異张張弥彌弯彎弹彈强強当當录錄彦彥彻徹径徑忆憶怀懷态態总總恒恆恳懇恶惡悬懸惊驚惧懼惯慣愿願战戰戏戲户戶准準"
    "筹籌筑築紧緊制製占佔出出印印精精准準尽盡届屆声聲处處够夠奖獎妆妝"
)
#: Traditional form of Simplified characters.
TRADITIONAL = {simple: full for simple, full in zip(_PAIRS[::2], _PAIRS[1::2], strict=True) if simple != full}
#: Latin twin of Cyrillic letters.
LATIN = dict(zip("АВЕЅІЈКМНОРСТУХаеіјорсух", "ABESIJKMHOPCTYXaeijopcyx", strict=True))
#: One script's characters of the line must be at least so many times as many as the other's.
_MAJORITY = 2


class OneScript:
    """Lines in one script each."""

    def instead(self, reading: Recognition, steps: Steps, used: float) -> Recognition:
        """The reading with stray characters of another script replaced by their twins."""
        text = one_script(reading.text)
        return reading if text == reading.text else replace(reading, text=text)


def one_script(text: str) -> str:
    """The text with look-alikes in the script of the line, where the line tells which that is; as long as before."""
    simple, full = sum(c in TRADITIONAL for c in text), sum(c in _SIMPLIFIED for c in text)
    text = _preferred(text, TRADITIONAL, _SIMPLIFIED, full, simple)
    # Only letters that the other script does not have tell which script it is; Chinese lines and codes hold Latin ones.
    cyrillic = sum("\u0400" <= c <= "\u04ff" and c not in LATIN for c in text)
    latin = sum((c.isascii() and c.isalpha() and c not in _CYRILLIC) or "\u2e80" <= c <= "\u9fff" for c in text)
    if cyrillic == latin == 0 and any(c.isdigit() for c in text):
        latin = 1
    return _preferred(text, LATIN, _CYRILLIC, latin, cyrillic)


_SIMPLIFIED = {full: simple for simple, full in TRADITIONAL.items()}
_CYRILLIC = {latin: cyrillic for cyrillic, latin in LATIN.items()}


def _preferred(text: str, there: Mapping[str, str], back: Mapping[str, str], target: int, source: int) -> str:
    """Characters mapped there or back, to the side that is in the majority."""
    if target >= _MAJORITY * source and target > 0:
        return "".join(there.get(c, c) for c in text)
    if source >= _MAJORITY * target and source > 0:
        return "".join(back.get(c, c) for c in text)
    return text
