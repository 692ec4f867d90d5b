// Every string of the page in both languages. {name} is replaced by a value.

export const STRINGS = {
  en: {
    title: "keras-repro: ask the models",
    heading: "Ask the models",
    skip: "Skip to the content",
    languages: "Language",
    lead:
      "The models of a Keras tutorial, trained anew. What you type or draw goes to this service " +
      "and nowhere else.",
    footer: "Programs get the same answers:",
    documentation: "how to ask",

    "review.title": "Is this review positive?",
    "review.label": "A review in Chinese",
    "review.hint": "Of a book, a hotel or a device, say. Ctrl + Enter asks as well.",
    "review.count": "{count} of {most} characters",
    "review.ask": "Judge the review",
    "review.examples": "Or take one of these; undo brings your own text back:",
    "review.positive": "Positive",
    "review.negative": "Negative",
    "review.probability": "Probability that it is positive: {probability}",
    "review.meter": "Probability that the review is positive",
    "review.threshold": "{model} calls a review positive from {threshold} on.",
    "review.words": "The words that decided",
    "review.legend":
      "+ and a solid line push towards positive, − and a dashed line towards negative. The " +
      "number is how far the answer moves by having the word, in logits.",
    "review.beginning": "Only the first {count} characters are weighed word by word.",
    "review.mostPositive": "Most towards positive: {words}.",
    "review.mostNegative": "Most towards negative: {words}.",
    "review.separator": ", ",
    "review.strongPositive": "strongly towards positive",
    "review.weakPositive": "slightly towards positive",
    "review.strongNegative": "strongly towards negative",
    "review.weakNegative": "slightly towards negative",
    "review.neutral": "hardly matters",
    "review.changed": "The text has changed since this answer.",

    "digit.title": "Which digit is this?",
    "digit.hint": "Draw a digit from 0 to 9 with mouse, finger, pen or keyboard.",
    "digit.pad": "Drawing area of 28 columns and 28 rows",
    "digit.up": "Pen up, column {column}, row {row}",
    "digit.down": "Pen down, column {column}, row {row}",
    "digit.cleared": "The drawing area is empty",
    "digit.ask": "Read the digit",
    "digit.clear": "Clear",
    "digit.probability": "Probability: {probability}",
    "digit.bars": "Probability of each digit",
    "digit.changed": "The drawing has changed since this answer.",
    "digit.keys": "By keyboard, in the drawing area",
    "digit.key.move": "move the pen; with Shift five cells",
    "digit.key.diagonal": "move it diagonally; or hold two arrows",
    "digit.key.pen": "lowers or lifts the pen",
    "digit.key.ask": "reads the digit",
    "digit.key.clear": "clears the drawing",

    "models.title": "How good are the models?",
    "models.hint":
      "On test items that no model has seen. Precision, recall and F1 are means over the classes " +
      "for images, of the positive class for reviews. The tutorial's reviews were others. Of short " +
      "texts, the share is shown that a model calls what a reader would.",
    "models.loading": "Loading …",
    "models.again": "Try again",
    "models.none": "This service has no test metrics beside it.",
    "models.model": "model",
    "models.accuracy": "accuracy",
    "models.precision": "precision",
    "models.recall": "recall",
    "models.f1": "F1",
    "models.cases": "short texts",
    "models.n_test": "test items",
    "models.tutorial": "the tutorial",

    "error.empty": "Write a review first.",
    "error.long": "This review has {count} characters; at most {most} can be read.",
    "error.blank": "Draw a digit first.",
    "error.unreachable":
      "The service does not answer; see whether it still runs, then try again.",
    "error.slow": "The service has not answered for a minute; try again.",
    "error.failed": "The service has failed (status {status}); try again.",
    "error.absent": "This service was started without a model for this.",
    "error.big": "This is more than the service reads at once.",
    "error.refused": "The service does not accept this (status {status}).",
    "error.reason": "The service does not accept this:",
    "error.garbled": "The answer of the service cannot be read; try again.",
  },

  zh: {
    title: "keras-repro：向模型提问",
    heading: "向模型提问",
    skip: "跳到正文",
    languages: "语言",
    lead: "一份 Keras 教程里的模型，重新训练而成。您输入和手写的内容只会发送给本服务，不会传到别处。",
    footer: "程序也能得到同样的回答：",
    documentation: "接口说明",

    "review.title": "这条评论是好评吗？",
    "review.label": "一条中文评论",
    "review.hint": "例如对书籍、酒店或电子产品的评论。按 Ctrl + Enter 也可以提交。",
    "review.count": "{count} 字，最多 {most} 字",
    "review.ask": "判断这条评论",
    "review.examples": "也可以选一条试试，撤销即可找回您自己的文字：",
    "review.positive": "好评",
    "review.negative": "差评",
    "review.probability": "好评的概率：{probability}",
    "review.meter": "这条评论为好评的概率",
    "review.threshold": "概率达到 {threshold} 时，{model} 判为好评。",
    "review.words": "起决定作用的词语",
    "review.legend": "+ 和实线表示让结果偏向好评，− 和虚线表示让结果偏向差评；数字是这个词使结果移动的幅度，单位为 logit。",
    "review.beginning": "只逐词分析前 {count} 个字。",
    "review.mostPositive": "好评倾向最强的词语：{words}。",
    "review.mostNegative": "差评倾向最强的词语：{words}。",
    "review.separator": "、",
    "review.strongPositive": "让结果明显偏向好评",
    "review.weakPositive": "让结果略微偏向好评",
    "review.strongNegative": "让结果明显偏向差评",
    "review.weakNegative": "让结果略微偏向差评",
    "review.neutral": "几乎没有影响",
    "review.changed": "文字已经改动，以下是改动之前的结果。",

    "digit.title": "这是哪个数字？",
    "digit.hint": "用鼠标、手指、手写笔或键盘写一个 0 到 9 的数字。",
    "digit.pad": "手写区，共 28 列 28 行",
    "digit.up": "已抬笔，第 {column} 列，第 {row} 行",
    "digit.down": "已落笔，第 {column} 列，第 {row} 行",
    "digit.cleared": "手写区已清空",
    "digit.ask": "识别数字",
    "digit.clear": "清空",
    "digit.probability": "概率：{probability}",
    "digit.bars": "每个数字的概率",
    "digit.changed": "笔迹已经改动，以下是改动之前的结果。",
    "digit.keys": "在手写区用键盘书写",
    "digit.key.move": "移动笔；同时按住 Shift 一次移动五格",
    "digit.key.diagonal": "斜向移动；也可以同时按住两个方向键",
    "digit.key.pen": "落笔或抬笔",
    "digit.key.ask": "识别数字",
    "digit.key.clear": "清空手写区",

    "models.title": "这些模型有多准？",
    "models.hint":
      "以下指标均来自模型从未见过的测试数据。图像的精确率、召回率和 F1 是各类别的平均值，评论的则只针对好评。" +
      "教程使用的评论与此处不同。“短句”一列是模型的判断与读者一致的比例。",
    "models.loading": "正在加载……",
    "models.again": "重试",
    "models.none": "本服务没有附带测试指标。",
    "models.model": "模型",
    "models.accuracy": "准确率",
    "models.precision": "精确率",
    "models.recall": "召回率",
    "models.f1": "F1",
    "models.cases": "短句",
    "models.n_test": "测试样本数",
    "models.tutorial": "教程",

    "error.empty": "请先写一条评论。",
    "error.long": "这条评论有 {count} 字，最多只能读取 {most} 字。",
    "error.blank": "请先写一个数字。",
    "error.unreachable": "服务没有响应，请确认它仍在运行，然后重试。",
    "error.slow": "服务一分钟内没有回答，请重试。",
    "error.failed": "服务出错（状态码 {status}），请重试。",
    "error.absent": "本服务启动时没有加载所需的模型。",
    "error.big": "内容超出了服务一次能读取的大小。",
    "error.refused": "服务不接受这项内容（状态码 {status}）。",
    "error.reason": "服务不接受这项内容：",
    "error.garbled": "无法读取服务的回答，请重试。",
  },
};

// What the models are, below the names that the code gives them.
export const MODELS = {
  en: {
    mnist_sequential: "digits, perceptron, Sequential",
    mnist_functional: "digits, perceptron, Functional",
    cifar10_cnn: "photographs, convolutions",
    sentiment_bilstm: "reviews, bidirectional LSTM",
    sentiment_hybrid: "reviews, n-grams of characters",
  },
  zh: {
    mnist_sequential: "手写数字，感知机，Sequential",
    mnist_functional: "手写数字，感知机，Functional",
    cifar10_cnn: "照片，卷积网络",
    sentiment_bilstm: "评论，双向 LSTM",
    sentiment_hybrid: "评论，字符 n-gram",
  },
};

// The titles that the service gives, as it gives them in English.
export const TITLES = {
  en: {},
  zh: {
    "SnowNLP, retrained": "SnowNLP，重新训练",
    fastText: "fastText",
    "TF-IDF of words, linear SVM": "词 TF-IDF + 线性 SVM",
    "TF-IDF of characters, linear SVM": "字符 TF-IDF + 线性 SVM",
  },
};

export const EXAMPLES = [
  "这本书太好看了，推荐给大家",
  "房间又小又吵，服务也差，再也不来了",
  "屏幕很清晰，就是电池不耐用，键盘手感也一般",
];

// What stands on the keys of the drawing area.
export const KEYS = {
  en: {
    move: ["←", "↑", "→", "↓"],
    diagonal: ["Home", "PgUp", "PgDn", "End"],
    pen: ["Space"],
    ask: ["Enter"],
    clear: ["Esc", "Delete"],
  },
  zh: {
    move: ["←", "↑", "→", "↓"],
    diagonal: ["Home", "PgUp", "PgDn", "End"],
    pen: ["空格"],
    ask: ["Enter"],
    clear: ["Esc", "Delete"],
  },
};
