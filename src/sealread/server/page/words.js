// All texts of the page in both languages, and which of them is spoken.

const count = (one, many) => ({ n }) => (n === 1 ? `1 ${one}` : `${n} ${many}`);

export const TEXTS = {
  en: {
    skip: "Skip to the content",
    "other-language": "中文",
    title: "Read the seals on a document",
    lead: "Give it a scan, a photo or a PDF, and see where each seal is, what it says, and how sure that is.",
    drop: "Drop a file here",
    give: "Scan, photo or PDF",
    paste: "or paste a picture from the clipboard. PNG, JPEG, WebP, TIFF, BMP, GIF or PDF.",
    choose: "Choose a file",
    camera: "Take a photo",
    settings: "Settings",
    more: "More settings",
    changed: ({ n }) => `${n} changed`,
    again: "Read the last file again",
    reset: "All as configured",
    configured: "as configured",
    on: "on",
    off: "off",
    "bad-number": ({ label }) => `${label}: this value is out of range.`,
    key: "This service asks for an API key.",
    "use-key": "Use it and read again",
    cancel: "Cancel",
    samples: "Or try a sample",
    "sample-contract": "A contract",
    "sample-contract-more": "three seals on one page",
    "sample-invoice": "An invoice",
    "sample-invoice-more": "PDF with two pages",
    "sample-seal": "One seal",
    "sample-seal-more": "cut out, turned far",
    invented: "All names on the samples are invented.",
    honest: "A reading says what is printed, not whether a seal is genuine. Also a high score can be wrong: check what matters.",
    privacy: "Your file goes to the service that shows this page, and this page asks no other.",
    reading: ({ name }) => `Reading ${name}`,
    "step-open": "Opening the file …",
    "step-send": "Sending …",
    "step-wait": "Waiting for a free place …",
    "step-read": "Looking for seals …",
    "step-pages": ({ n, all }) => `Page ${n} of ${all} …`,
    cancelled: "Cancelled.",
    pages: count("page", "pages"),
    seals: count("seal", "seals"),
    lines: count("line", "lines"),
    summary: ({ pages, seals, lines }) => `${pages}: ${seals}, ${lines}`,
    "summary-unsure": ({ n }) => (n === 1 ? "1 line is unsure" : `${n} lines are unsure`),
    "page-of": ({ n, all }) => `Page ${n} of ${all}`,
    "pages-left": ({ n, all }) => `Only the first ${n} of ${all} pages were read: the service reads no more at once.`,
    seal: ({ n }) => `Seal ${n}`,
    found: ({ score }) => `found with ${score}`,
    upright: "upright",
    clockwise: ({ n }) => `turned ${n}° clockwise`,
    counter: ({ n }) => `turned ${n}° counter-clockwise`,
    text: "Text",
    role: "Place",
    score: "Score",
    outer_arc: "outer arc",
    inner_arc: "inner arc",
    horizontal: "horizontal",
    code: "code",
    other: "other",
    unsure: "unsure",
    "very-unsure": "very unsure",
    "seal-unsure": "perhaps no seal",
    "seal-very-unsure": "probably no seal",
    doubtful: ({ list }) => `Doubtful characters: ${list}`,
    illegible: "nothing legible",
    "no-lines": "No text was read on this seal.",
    "no-seals": "No seal was found on this page. Faint, small or cut seals can be missed.",
    "doubtful-places": ({ n }) => `${n === 1 ? "1 place looks" : `${n} places look`} like a seal, but nothing there can be read (grey box).`,
    "as-one": "Read the whole picture as one seal",
    "outlines-label": ({ n }) => `Seals on page ${n}. Arrow keys move between the lines, Enter goes to the text.`,
    "picture-label": ({ n }) => `Picture of page ${n}`,
    "line-label": ({ text, role, score, doubt }) => `${text}, ${role}, ${score}${doubt === "" ? "" : `, ${doubt}`}`,
    legend: "The score estimates how likely the whole line is right. Marked characters are doubtful.",
    "copy-text": "Copy text",
    "copy-json": "Copy JSON",
    "save-json": "Download JSON",
    "copy-picture": "Copy picture",
    "save-picture": "Download picture",
    remove: ({ name }) => `Remove ${name}`,
    copied: "Copied.",
    "not-copied": "The browser did not allow copying.",
    "raw-json": "JSON",
    "error-file": "This file could not be read.",
    "error-page": "This page could not be read.",
    "error-key": "The service did not accept the request without a valid API key.",
    "error-large": "This file is larger than the service accepts.",
    "error-busy": "The service is busy.",
    "error-busy-for": ({ n }) => `The service is busy. Try again in ${n} s.`,
    "error-service": "The service failed on this file.",
    "error-network": "The service cannot be reached.",
    "error-answer": "The service gave an answer that this page does not understand.",
    "try-again": "Try again",
    useDocOrientationClassify: "Turn pages upright",
    useDocUnwarping: "Flatten curved pages",
    useLayoutDetection: "Look for seals",
    "useLayoutDetection-hint": "off: the whole picture is one seal",
    layoutThreshold: "Lowest score of a seal",
    sealRecScoreThresh: "Lowest score of a text",
    layoutNms: "Drop repeated regions",
    layoutMergeBboxesMode: "Of regions inside one another keep",
    large: "the large",
    small: "the small",
    union: "all",
    layoutUnclipRatio: "Grow regions by the factor",
    sealDetLimitSideLen: "Side length for text detection",
    sealDetLimitType: "That side is",
    min: "the shorter at least",
    max: "the longer at most",
    resize_long: "the longer exactly",
    sealDetThresh: "Lowest probability of a text pixel",
    sealDetBoxThresh: "Lowest probability of a line",
    sealDetUnclipRatio: "Growth of a line's outline",
  },
  zh: {
    skip: "跳到正文",
    "other-language": "English",
    title: "识别文档上的印章",
    lead: "放入扫描件、照片或 PDF，即可看到每枚印章的位置、文字，以及结果有多可靠。",
    drop: "把文件拖到这里",
    give: "扫描件、照片或 PDF",
    paste: "或从剪贴板粘贴图片。支持 PNG、JPEG、WebP、TIFF、BMP、GIF 和 PDF。",
    choose: "选择文件",
    camera: "拍照",
    settings: "设置",
    more: "更多设置",
    changed: ({ n }) => `已改 ${n} 项`,
    again: "重新识别上一个文件",
    reset: "全部按服务配置",
    configured: "按服务配置",
    on: "开",
    off: "关",
    "bad-number": ({ label }) => `${label}：数值超出范围。`,
    key: "此服务需要 API 密钥。",
    "use-key": "使用并重新识别",
    cancel: "取消",
    samples: "或试试样例",
    "sample-contract": "合同",
    "sample-contract-more": "一页上有三枚印章",
    "sample-invoice": "发票",
    "sample-invoice-more": "两页 PDF",
    "sample-seal": "单枚印章",
    "sample-seal-more": "已裁出，倾斜很大",
    invented: "样例中的名称均为虚构。",
    honest: "识别结果只说明印章上写了什么，不能证明印章真伪。分数高也可能有误，重要内容请核对。",
    privacy: "文件只发送到提供本页面的服务，本页面不访问其他地址。",
    reading: ({ name }) => `正在识别 ${name}`,
    "step-open": "正在打开文件……",
    "step-send": "正在发送……",
    "step-wait": "正在排队……",
    "step-read": "正在查找印章……",
    "step-pages": ({ n, all }) => `第 ${n} 页，共 ${all} 页……`,
    cancelled: "已取消。",
    pages: ({ n }) => `${n} 页`,
    seals: ({ n }) => `${n} 枚印章`,
    lines: ({ n }) => `${n} 行文字`,
    summary: ({ pages, seals, lines }) => `${pages}：${seals}，${lines}`,
    "summary-unsure": ({ n }) => `${n} 行不确定`,
    "page-of": ({ n, all }) => `第 ${n} 页，共 ${all} 页`,
    "pages-left": ({ n, all }) => `共 ${all} 页，只识别了前 ${n} 页：服务一次不读更多。`,
    seal: ({ n }) => `印章 ${n}`,
    found: ({ score }) => `检出分数 ${score}`,
    upright: "正放",
    clockwise: ({ n }) => `顺时针转了 ${n}°`,
    counter: ({ n }) => `逆时针转了 ${n}°`,
    text: "文字",
    role: "位置",
    score: "分数",
    outer_arc: "外圈",
    inner_arc: "内圈",
    horizontal: "横排",
    code: "编号",
    other: "其他",
    unsure: "不确定",
    "very-unsure": "很不确定",
    "seal-unsure": "可能不是印章",
    "seal-very-unsure": "多半不是印章",
    doubtful: ({ list }) => `存疑的字：${list}`,
    illegible: "无法辨认",
    "no-lines": "这枚印章上没有读出文字。",
    "no-seals": "这一页没有找到印章。过淡、过小或被截断的印章可能会漏掉。",
    "doubtful-places": ({ n }) => `有 ${n} 处像印章，但无法辨认文字（灰框）。`,
    "as-one": "把整张图片当作一枚印章来读",
    "outlines-label": ({ n }) => `第 ${n} 页上的印章。方向键在各行间移动，回车转到文字。`,
    "picture-label": ({ n }) => `第 ${n} 页的图像`,
    "line-label": ({ text, role, score, doubt }) => `${text}，${role}，${score}${doubt === "" ? "" : `，${doubt}`}`,
    legend: "分数是整行正确的估计概率；有标记的字存疑。",
    "copy-text": "复制文字",
    "copy-json": "复制 JSON",
    "save-json": "下载 JSON",
    "copy-picture": "复制图片",
    "save-picture": "下载图片",
    remove: ({ name }) => `移除 ${name}`,
    copied: "已复制。",
    "not-copied": "浏览器不允许复制。",
    "raw-json": "JSON",
    "error-file": "无法读取这个文件。",
    "error-page": "无法读取这一页。",
    "error-key": "没有有效的 API 密钥，服务拒绝了请求。",
    "error-large": "文件超过了服务允许的大小。",
    "error-busy": "服务繁忙。",
    "error-busy-for": ({ n }) => `服务繁忙，请在 ${n} 秒后重试。`,
    "error-service": "服务处理此文件时出错。",
    "error-network": "无法连接到服务。",
    "error-answer": "服务的回答无法理解。",
    "try-again": "重试",
    useDocOrientationClassify: "把页面转正",
    useDocUnwarping: "展平弯曲的页面",
    useLayoutDetection: "查找印章",
    "useLayoutDetection-hint": "关：整张图片就是一枚印章",
    layoutThreshold: "印章的最低分数",
    sealRecScoreThresh: "文字的最低分数",
    layoutNms: "去掉重复的区域",
    layoutMergeBboxesMode: "区域互相包含时保留",
    large: "大的",
    small: "小的",
    union: "全部",
    layoutUnclipRatio: "区域放大倍数",
    sealDetLimitSideLen: "文字检测的边长",
    sealDetLimitType: "该边长是",
    min: "短边的下限",
    max: "长边的上限",
    resize_long: "长边的长度",
    sealDetThresh: "文字像素的最低概率",
    sealDetBoxThresh: "文字行的最低概率",
    sealDetUnclipRatio: "文字行轮廓的外扩",
  },
};

const STORE = "sealread.language";

function remembered() {
  try {
    return localStorage.getItem(STORE);
  } catch {
    return null; // storage is switched off
  }
}

// The first of the wanted languages that the page speaks; English where it speaks none.
export function choose(stored, wanted) {
  if (stored !== null && stored in TEXTS) return stored;
  return wanted.map((tag) => tag.toLowerCase().split("-")[0]).find((tag) => tag in TEXTS) ?? "en";
}

let language = typeof navigator === "undefined" ? "en" : choose(remembered(), navigator.languages ?? []);
const listeners = [];

export function say(key, values) {
  const text = TEXTS[language][key];
  return typeof text === "function" ? text(values) : text;
}

export const onLanguage = (listener) => listeners.push(listener);

// Fills every element that names its text by data-say or data-say-label.
export function speak(root) {
  for (const element of root.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  for (const element of root.querySelectorAll("[data-say-label]")) element.setAttribute("aria-label", say(element.dataset.sayLabel));
}

export function startLanguages(button) {
  const show = () => {
    document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
    speak(document);
    button.textContent = say("other-language");
    button.lang = language === "zh" ? "en" : "zh-Hans";
    for (const listener of listeners) listener();
  };
  button.addEventListener("click", () => {
    language = language === "zh" ? "en" : "zh";
    try {
      localStorage.setItem(STORE, language);
    } catch {
      // Storage is switched off: the choice lasts as long as the page.
    }
    show();
  });
  show();
}
