import API
import Commands
import Findings
import Support

/// What `burnd check` found.
struct CheckReport: Encodable {
    struct ClassOutput: Encodable {
        var name: String
        var output: Int
        /// What the model's file calls this output.
        var modelName: String?

        enum CodingKeys: String, CodingKey {
            case name, output
            case modelName = "model_name"
        }
    }

    var model: ModelSummary?
    var dataset: DatasetSummary?
    /// Sets beside it that were given and can be read.
    var clean: DatasetSummary?
    var triggered: DatasetSummary?
    var trusted: DatasetSummary?
    /// The attack's target class that was given, where it is an output of the model.
    var targetClass: Int?
    /// As a job would have them.
    var options: JobOptions
    /// How far predictions and labels agree; null where that could not be measured.
    var agreement: Agreement?
    /// Orders of the classes that fit better, the best first.
    var orders: [SuggestedOrder] = []
    /// Another scaling that fits better.
    var scaling: SuggestedScaling?
    /// The output that each class stands for.
    var classes: [ClassOutput] = []
    /// What is worth knowing and no reason to refuse.
    var remarks: [String] = []
    var problems: [ProblemResource] = []

    enum CodingKeys: String, CodingKey {
        case model, dataset, clean, triggered, trusted, options, agreement, orders, scaling, classes, remarks
        case problems
        case targetClass = "target_class"
    }

    subscript(other: JobInputs.OtherSet) -> DatasetSummary? {
        get {
            switch other {
            case .clean: clean
            case .triggered: triggered
            case .trusted: trusted
            }
        }
        set {
            switch other {
            case .clean: clean = newValue
            case .triggered: triggered = newValue
            case .trusted: trusted = newValue
            }
        }
    }

    mutating func describe(_ order: ClassOrder?, _ model: ModelSummary, _ dataset: DatasetSummary) {
        guard let order else { return }
        classes = zip(dataset.classes, order.outputs).map { item, output in
            .init(name: item.name, output: output, modelName: model.name(of: output))
        }
    }
}

extension ModelSummary {
    fileprivate func name(of output: Int) -> String? {
        classNames.flatMap { $0.indices.contains(output) ? $0[output] : nil }
    }
}

// MARK: As text

extension CheckReport {
    private static let mostClassesShown = 50

    func show(_ problems: [Problem]) {
        showModel()
        show(dataset, as: "dataset")
        for other in JobInputs.OtherSet.allCases { show(self[other], as: other.rawValue) }
        showOrder()
        if let targetClass {
            let name = classes.first { $0.output == targetClass }?.name ?? model?.name(of: targetClass)
            print(line("target", "model output \(targetClass)" + (name.map { " (\($0))" } ?? "")).inOneLine)
        }
        for remark in remarks { print(line("note", remark.inOneLine)) }
        for problem in problems { print("\n" + line("problem", "\(problem)")) }
        print(problems.isEmpty ? "\nNothing is wrong." : "\n\(problems.count) to be changed.")
    }

    /// A word, and what it says in the column behind it.
    private func line(_ word: String, _ text: String) -> String {
        word + String(repeating: " ", count: max(1, Self.indent.count - word.count)) + text
    }

    private static let indent = String(repeating: " ", count: 9)

    private func showModel() {
        guard let model else { return }
        print(
            line(
                "model",
                "\(model.format), input \(model.inputSizes(by: " x ")) \(model.inputType), \(model.classes) classes, "
                    + "\(model.parameters) parameters"))
        if let copies = model.weightCopies {
            let names = copies.map { "\"\($0.name)\"\($0.isAnalysed ? " (looked at)" : "")" }
            print("\(Self.indent)weights found under \(names.joined(separator: ", "))".inOneLine)
        }
        if let kept = model.keptTensors {
            let names = kept.prefix(8).joined(separator: ", ") + (kept.count > 8 ? ", …" : "")
            print("\(Self.indent)kept as they are, none of the network's: \(names)".inOneLine)
        }
        if let conversion = model.conversion { print("\(Self.indent)\(conversion)".inOneLine) }
        if let output = model.output { print("\(Self.indent)logits: output \(output)".inOneLine) }
    }

    private func show(_ set: DatasetSummary?, as word: String) {
        guard let set else { return }
        print(
            line(
                word,
                "\(set.format), \(set.samples) images of \(set.width) x \(set.height) with "
                    + "\(set.channels) channels, \(set.classes.count) classes, \(set.packedBytes) bytes packed"
            ))
        for sentence in set.reading?.sentences ?? [] {
            print(Self.indent + CommandWords.translated(text: sentence).inOneLine)
        }
    }

    /// Which output each class stands for, and how many of its samples the model agrees about.
    private func showOrder() {
        guard !classes.isEmpty else { return }
        let measured = Dictionary(
            (agreement?.classes ?? []).map { ($0.label, $0) }, uniquingKeysWith: { first, _ in first })
        print(line("classes", classOrder))
        for row in classes.prefix(Self.mostClassesShown) {
            var text = "\(Self.indent)\"\(row.name)\" = model output \(row.output)"
            if let name = row.modelName { text += " (\(name))" }
            if let found = measured[row.output], found.samples > 0 {
                text += ": \(precisePercent(found.share)) of \(found.samples) samples agree"
                if let other = found.otherLabel, let share = found.otherShare {
                    text += ", \(precisePercent(share)) are predicted as \(other)"
                    if let name = found.otherName, name != String(other) { text += " \"\(name)\"" }
                }
            }
            print(text.inOneLine)
        }
        if classes.count > Self.mostClassesShown { print("\(Self.indent)… \(classes.count) in all") }
    }

    /// How the order is known, in words.
    private var classOrder: String {
        switch agreement?.classOrder {
        case .given: "in the order that --classes gives"
        case .modelNames: "found among the names that the model's file has for its outputs"
        case .imageNet: "as ImageNet's thousand classes are ordered"
        case .numbers: "by their numbers"
        case .sorted: "in the order of their sorted names"
        case nil: ""
        }
    }
}
