"""What the report says in Chinese, by what it says in English."""

CHINESE = {
    # The page
    "keras-repro: report": "keras-repro：报告",
    "Skip to the sections": "跳到正文",
    "What the pipeline trained, how well it does, and where it fails.": (
        "流水线训练了什么，效果如何，错在哪里。"
    ),
    "Commit {}.": "提交 {}。",
    "Commit {}, with changes that are not committed.": "提交 {}，另有尚未提交的改动。",
    "Contents": "目录",
    "Made by make report from metrics/, models/, data/raw/ and dvc.yaml.": (
        "由 make report 根据 metrics/、models/、data/raw/ 和 dvc.yaml 生成。"
    ),
    ", ": "、",
    "{} to {}": "{} 至 {}",
    "{} of {}": "{}/{}",
    "{} ({} to {})": "{}（{} 至 {}）",
    "model": "模型",
    "models": "模型",
    "baselines": "基线",
    "metric": "指标",
    "value": "值",
    "name": "名称",
    "probability": "概率",
    "nothing": "无",
    # What is missing
    "{} is not there; {} makes it.": "缺少 {}，可由 {} 生成。",
    "Not there: {} makes {}.": "尚未生成：运行 {} 可得到 {}。",
    "Not there yet: {}. {} makes what is missing.": "尚缺：{}。可由 {} 补齐。",
    "Not measured yet: {}. {} does it.": "尚未测量：{}。请运行 {}。",
    "Not drawn yet: {}. {} does it.": "尚未绘制：{}。请运行 {}。",
    "No graphs are drawn, as {} of Graphviz is not installed.": (
        "未安装 Graphviz 的 {}，因此没有绘图。"
    ),
    "No list of mistakes is there yet; {} makes them.": "还没有错例清单，可由 {} 生成。",
    # At a glance
    "At a glance": "概览",
    "Best on each task": "各项任务的最佳模型",
    "Reviews": "评论",
    "Digits": "手写数字",
    "Photographs": "照片",
    "95 %: {} to {}": "95%：{} 至 {}",
    "Against the baselines": "与基线相比",
    "baselines have a lower F1 than {}": "个基线的 F1 低于 {}",
    "Above {}, the best of them on validation: {}": "与验证集上最好的基线（{}）相差 {}",
    "The interval leaves 0 out: chance alone hardly explains it.": (
        "区间不含 0：难以只用偶然来解释。"
    ),
    "The interval has 0 in it: chance alone may explain it.": "区间含 0：可能只是偶然。",
    "What was checked": "核验情况",
    "minimum metrics of {} are met": "项指标达到 {} 规定的最低值",
    "{} of {} files in {} are those that {} records.": (
        "{2} 中有 {0}/{1} 个文件与 {3} 的记录一致。"
    ),
    "{} trains all anew and compares every output.": "{} 会重新训练一切，并逐一比对产物。",
    # What tells sentiment
    "What tells sentiment": "情感分类器",
    "What tells sentiment, the best F1 first": "情感分类器，按 F1 从高到低",
    "F1 with its 95 % interval": "F1 及其 95% 区间",
    "95 % interval": "95% 区间",
    "F1 is {}. Below it, and in small type, stands the middle 95 % of bootstrap resamples. The "
    "baseline, {}, is the one that is best on validation; for what F1 is above its, both are "
    "resampled together, and p is the exact test of McNemar against it. {}": (
        "F1 {}。其下的小字是自助重抽样居中的 95%。对照基线 {} 在验证集上最好；"
        "计算 F1 高出多少时，二者一同重抽样，p 来自与它的 McNemar 精确检验。{}"
    ),
    "that of positive reviews": "只针对好评",
    "the mean over the classes": "是各类别的平均值",
    "The threshold is the best on validation; all other metrics take one half.": (
        "阈值取验证集上最好的，其余指标均以 0.5 为阈值。"
    ),
    "The likeliest class is said.": "判断取最可能的类别。",
    "F1 above the baseline’s": "F1 高出基线",
    "above the baseline’s": "高出基线",
    "the baseline": "对照基线",
    "Brier score": "Brier 分数",
    "threshold": "阈值",
    "F1 with it": "用阈值的 F1",
    "p": "p",
    "F1": "F1",
    # Behaviour
    "Behaviour by capability": "各项能力",
    "Share that is right, by capability": "各项能力的正确比例",
    "Shares that are right": "正确比例",
    "The share of short texts whose verdict is a reader’s, and of changes after which it stays or "
    "moves as it must. The texts are in {}, what went wrong in {}.": (
        "短句的判断与读者一致的比例，以及改动之后判断该变则变、不该变则不变的比例。"
        "短句在 {}，出错的在 {}。"
    ),
    "Nothing is asked: {}.": "没有提问：{}。",
    "capability": "能力",
    "share that is right": "正确比例",
    "texts": "条数",
    # Results
    "Results": "全部结果",
    "Test metrics of the models": "各模型的测试指标",
    "Every metric is of a test split that training has not seen. Precision, recall and F1 are the "
    "mean over the classes for images, and those of the positive class for reviews, unless these "
    "have more classes. Below a metric stand its 95 % interval, where it is known, and what the "
    "tutorial states – for sentiment on another corpus.": (
        "所有指标都来自训练中从未见过的测试集。图像的精确率、召回率和 F1 是各类别的平均值，"
        "评论的只针对好评，除非评论有更多类别。指标之下是已知的 95% 区间和教程给出的数值；"
        "教程的情感分类用的是另一个语料。"
    ),
    "Models of dvc.yaml": "dvc.yaml 中的模型",
    "What else tells sentiment": "其他情感分类器",
    "Further models of the tutorial": "教程的其他模型",
    "Further metrics": "其他指标",
    "accuracy": "准确率",
    "precision": "精确率",
    "recall": "召回率",
    "loss": "损失",
    "test items": "测试样本",
    "tutorial {}": "教程 {}",
    "SnowNLP, retrained": "SnowNLP（重新训练）",
    "fastText": "fastText",
    "TF-IDF of words, linear SVM": "词 TF-IDF + 线性 SVM",
    "TF-IDF of characters, linear SVM": "字符 TF-IDF + 线性 SVM",
    # Curves
    "Training": "训练过程",
    "By epoch, on the training split and on the validation split. Where a curve jumps, the "
    "training of the next part of a model begins.": (
        "按轮次，训练集与验证集。曲线跳变之处，是模型下一部分开始训练的地方。"
    ),
    "training": "训练集",
    "validation": "验证集",
    "epoch": "轮次",
    "{} {} to {}": "{} {} 至 {}",
    "{}, {} in {} epochs: {}": "{}，{}，共 {} 轮：{}",
    "Confusion matrices": "混淆矩阵",
    "Test items by their class and by what they were taken for. The darker a cell, the greater its "
    "share of the class; an empty cell is none.": (
        "测试样本的真实类别与模型的判断。格子越深，占该类别的比例越大；空格表示没有。"
    ),
    "{}: {} of {} right": "{}：{}/{} 正确",
    "; most often, {} times, {} was taken for {}": "；最常见的错误是把“{1}”判为“{2}”，共 {0} 次",
    "taken for": "判为",
    "true class": "真实类别",
    "Precision, recall and ROC": "精确率、召回率与 ROC",
    "All that tell sentiment, on the test split; positive reviews are looked for, or, of more than "
    "two classes, each against all others.": (
        "全部情感分类器在测试集上的表现；要找的是好评，类别更多时则是每一类对其余各类。"
    ),
    "{} against {}": "{}与{}",
    "{}; areas below: {}": "{}；曲线下面积：{}",
    "false positive rate": "假阳性率",
    "true positive rate": "真阳性率",
    "precision and recall": "精确率与召回率",
    "Areas below the curves that are drawn": "所绘曲线下的面积",
    "Probabilities and length of review": "概率与评论长度",
    "Reviews are put into ten groups by the probability that a model gave them; were probabilities "
    "true, that share of each group would be positive. Of more than two classes each is looked at. "
    "Then F1 by the number of words of a review, and by source.": (
        "按模型给出的概率把评论分成十组；如果概率可信，每组中好评的比例应与之相等。"
        "类别更多时逐一考察。然后是按评论词数和来源划分的 F1。"
    ),
    "How far the share of positive reviews is from the probability: {}": (
        "好评比例与概率的差距：{}"
    ),
    "Share of positive reviews by probability; dotted, where both are equal": (
        "各概率下的好评比例；点线处二者相等"
    ),
    "{} at most {}": "{} 最多 {}",
    "probability given": "给出的概率",
    "share that is positive": "好评比例",
    "F1 by {}": "按{}划分的 F1",
    "{} (reviews: {})": "{}（评论数：{}）",
    # Mistakes
    "Misread images": "看错的图像",
    "The test images that a model was surest about and wrong, the surest first, with the "
    "probability of its answer.": (
        "模型最有把握却判断错误的测试图像，最有把握的在前，并附其判断的概率。"
    ),
    "Images misread by {}": "{} 看错的图像",
    "The images are not shown: {} is of another run than this list.": (
        "没有显示图像：{} 与这份清单不是同一次运行所得。"
    ),
    "The images are not shown: {} is not there; {} fetches it.": (
        "没有显示图像：缺少 {}，可由 {} 下载。"
    ),
    "row of the test split": "测试集中的行",
    "true class {}, predicted {}": "真实类别 {}，判为 {}",
    "{}, taken for {}": "{}，判为{}",
    "Misread reviews": "读错的评论",
    "The test reviews that a model was surest about and wrong, the surest first. Below the text "
    "stand the words that the model saw, if it reads words. What is longer than {} characters ends "
    "in “…”.": (
        "模型最有把握却判断错误的测试评论，最有把握的在前。如果模型按词阅读，文字之下是它看到的词。"
        "超过 {} 字的以“…”结尾。"
    ),
    "Words seen:": "看到的词：",
    "None is listed in {}.": "{} 中一条也没有。",
    "{} of the {} in {}.": "{2} 中 {1} 条里的前 {0} 条。",
    # Networks and pipeline
    "Networks": "网络结构",
    "Graph of {}": "{} 的结构图",
    "Layers of {}": "{} 的各层",
    "Table of the layers of {}": "{} 的各层列表",
    "Pipeline": "流水线",
    "The stages, and by arrows what goes from one to another, as the dvc.yaml files say. A dashed "
    "stage is of another file.": (
        "各个 dvc.yaml 中的阶段，箭头表示产物的去向。虚线框的阶段属于另一个文件。"
    ),
    "Stages of {}": "{} 的阶段",
    "Stages of {} and what they need": "{} 的阶段及其依赖",
    "stage": "阶段",
    "needs": "依赖",
    # Changes
    "Changes since {}": "自 {} 以来的变化",
    "What is at hand beside {}, as far as it differs.": "当前内容与 {} 的差异。",
    "Metrics": "指标",
    "Parameters": "参数",
    "Plots": "图表",
    "None of the metrics that both have differ.": "双方都有的指标没有差异。",
    "None of the parameters that both have differ.": "双方都有的参数没有差异。",
    "None of the plots that both have differ.": "双方都有的图表没有差异。",
    "Changed metrics": "有变化的指标",
    "Changed metrics within others": "有变化的其他指标",
    "Metrics that only one of the two has": "只有一方有的指标",
    "Changed parameters": "有变化的参数",
    "Changed parameters within others": "有变化的其他参数",
    "Parameters that only one of the two has": "只有一方有的参数",
    "Plots that only one of the two has": "只有一方有的图表",
    "before": "之前",
    "now": "现在",
    "change": "变化",
    "plot": "图表",
    "there": "何时有",
    "{}, now and in {}": "{}，现在与 {}",
}

# Classes, capabilities and parts; what is not here is shown as it is.
NAMES = {
    "positive": "好评",
    "neutral": "中评",
    "negative": "差评",
    "airplane": "飞机",
    "automobile": "汽车",
    "bird": "鸟",
    "cat": "猫",
    "deer": "鹿",
    "dog": "狗",
    "frog": "青蛙",
    "horse": "马",
    "ship": "船",
    "truck": "卡车",
    "words": "词数",
    "source": "来源",
    "to 10": "10 词以内",
    "11 to 30": "11 至 30 词",
    "over 30": "30 词以上",
    "plain": "直说",
    "too": "“太”字句",
    "negated": "否定",
    "contrast": "转折",
    "shift": "今昔对比",
    "idiom": "成语",
    "short": "短语",
    "double_negation": "双重否定",
    "mood": "心情",
    "question": "疑问与反问",
    "emoji": "表情符号",
    "slang": "网络用语",
    "traditional": "繁体字",
    "not_chinese": "不是中文",
    "no_ground": "没有依据",
    "name": "换名字",
    "number": "换数字",
    "punctuation": "换标点",
    "homophone": "同音错字",
    "script": "简繁转换",
    "politeness": "客套话",
    "degree": "加重程度",
    "better": "补一句好话",
    "worse": "补一句坏话",
}
