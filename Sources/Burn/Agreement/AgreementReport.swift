import Findings
import Foundation
import Support

/// What the comparison of predictions and labels found, in the words of its reader.
struct AgreementReport {
    let tally: AgreementTally
    let images: LabelledImages
    /// Classes that were found in others' places.
    let misplaced: [Misplacement]
    /// Orders that fit better, the best first.
    let orders: [(kind: SuggestedOrder.Kind, order: [Int])]
    /// A scaling that fits better.
    let scaling: SuggestedScaling?

    var finding: AgreementFinding {
        AgreementFinding(
            agreement: agreement,
            orders: orders.map {
                SuggestedOrder(kind: $0.kind, share: tally.share(of: $0.order), classes: mapping($0.order))
            }, scaling: scaling,
            problem: problem, remarks: remarks)
    }

    private var classNames: [String] { images.dataset.classes }

    private var share: Double { tally.share(of: tally.current) }

    private var agreement: Agreement {
        let classes = classNames.indices.map { place in
            let output = tally.current[place]
            let samples = tally.samples[place]
            let other = mostOther(place)
            return Agreement.ClassAgreement(
                label: output, name: classNames[place], samples: samples,
                share: samples > 0 ? Double(tally.hits(place, output)) / Double(samples) : 0,
                otherLabel: other?.output, otherName: other.map { images.classNames[$0.output] },
                otherShare: other.map { Double($0.count) / Double(samples) })
        }
        return Agreement(
            samples: tally.total, share: share, promised: tally.promised, classOrder: images.order.source,
            classes: classes)
    }

    /// The output that most of a class's other samples are predicted as.
    private func mostOther(_ place: Int) -> (output: Int, count: Int)? {
        tally.counts[place].filter { $0.key != tally.current[place] }
            .max { ($0.value, $1.key) < ($1.value, $0.key) }.map { ($0.key, $0.value) }
    }

    private func mapping(_ order: [Int]) -> [String: Int] {
        Dictionary(zip(classNames, order)) { first, _ in first }
    }

    // MARK: What is wrong

    private var problem: Problem? {
        let isGuessing = isGuessing
        guard isGuessing || scaling != nil || !orders.isEmpty else { return nil }
        return Problem(
            .unprocessable, code: "model-dataset-disagree",
            title: "The model does not recognise the data set",
            detail: ([measured(isGuessing)] + exchanged + fitting + rescaled).joined(separator: " "),
            location: orders.isEmpty ? "options.input" : "options.classes",
            fix: (orders.isEmpty ? scalingFix : orderFix)
                + " To go on nevertheless, set options.accept_disagreement (--accept-disagreement).")
    }

    /// Predictions and labels agree no more than by chance. Of a few images that would hold whatever the model knows: these must
    /// fit guessing better than what it promises, or it promises hardly more.
    private var isGuessing: Bool {
        guard
            Statistics.binomialTail(tally.agreeing, of: tally.total, rate: tally.chance)
                > AgreementSettings.falseRefusals
        else { return false }
        let chance = min(max(tally.chance, 0.001), 0.999)
        let promised = min(max(tally.promised, 0.001), 0.999)
        let (agreeing, others) = (Double(tally.agreeing), Double(tally.total - tally.agreeing))
        return agreeing * log(promised / chance) + others * log((1 - promised) / (1 - chance)) <= 0
            || promised - chance < AgreementSettings.hardlyMore * (1 - chance)
    }

    private func measured(_ isGuessing: Bool) -> String {
        let guess = isGuessing ? "; guessing would reach \(percent(tally.chance))" : ""
        return
            "Its predictions equal the given labels for \(percent(share)) of the set (\(tally.total) images were "
            + "looked at), where its own confidence promises \(percent(tally.promised))\(guess)."
    }

    /// Who is in whose place.
    private var exchanged: [String] {
        let few = misplaced.filter { $0.places.count <= AgreementSettings.named }
        var lines = few.prefix(AgreementSettings.named).map { group in
            let names = group.places.map { "\"\(classNames[$0])\"" }
            let figures = zip(group.places, group.outputs).map { place, output in
                "\(percent(Double(tally.hits(place, output)) / Double(max(tally.samples[place], 1)))) of "
                    + "\(tally.samples[place]) samples of \"\(classNames[place])\" are predicted as "
                    + "\"\(images.classNames[output])\" (output \(output))"
            }
            let what =
                group.isCycle
                ? "\(names.joined(separator: " and ")) seem to be exchanged: "
                : "\(names.joined(separator: ", ")) seem\(names.count == 1 ? "s" : "") to stand for other outputs: "
            return what + figures.joined(separator: ", ") + "."
        }
        let others = misplaced.flatMap(\.places).count - few.prefix(lines.count).flatMap(\.places).count
        if others > 0 {
            lines.append(
                "\(others)\(lines.isEmpty ? "" : " other") of \(classNames.count) classes seem to be in each other's places."
            )
        }
        return lines
    }

    private var fitting: [String] {
        guard !orders.isEmpty else { return [] }
        let list = orders.map { "\($0.kind.words) (\(percent(tally.share(of: $0.order))))" }
        return ["What fits better: \(list.joined(separator: "; "))."]
    }

    private var rescaled: [String] {
        guard let scaling else { return [] }
        return [
            "Of \(scaling.samples) images \(percent(scaling.share)) would agree if they were scaled otherwise "
                + "(\(scaling.words)), and \(percent(scaling.givenShare)) do as they are."
        ]
    }

    private var scalingFix: String {
        if let scaling {
            return
                "If the model was trained with \(scaling.words), set options.input to \(scaling.json) "
                + "(\(scaling.flags))."
        }
        return
            "Set options.input (--preset, --mean, --std, --range) to the scaling that the model was trained with, and "
            + "options.classes (--classes FILE) if its outputs are in another order than the classes."
    }

    private var orderFix: String {
        guard let best = orders.first else { return scalingFix }
        let whole = mapping(best.order)
        let moved = classNames.indices.filter { best.order[$0] != tally.current[$0] }
        let lead = "If \(best.kind.words) is right, set options.classes (--classes FILE) to "
        if whole.count <= AgreementSettings.spelledOut { return lead + "\(json(whole))." }
        guard moved.count <= AgreementSettings.spelledOut else {
            return lead + "that order, class folder to output; `burnd check --json` prints it whole."
        }
        let part = Dictionary(uniqueKeysWithValues: moved.map { (classNames[$0], best.order[$0]) })
        return lead + "a mapping of all classes that differs from the current one in \(json(part)); "
            + "`burnd check --json` prints it whole."
    }

    private func json(_ mapping: [String: Int]) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(mapping)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    // MARK: What is worth knowing

    private var remarks: [String] {
        var lines = [
            "The model's predictions equal the given labels for \(percent(share)) of the set (\(tally.total) images were "
                + "looked at); its own confidence promises \(percent(tally.promised))."
        ]
        if share < tally.promised / 2 {
            lines.append(
                "That is far less than it promises: check that the scaling (options.input) is the one it was trained with, and that "
                    + "this is the data set it was trained on.")
        }
        let strays = classNames.indices.filter { place in
            mostOther(place).map {
                Statistics.binomialTail($0.count, of: tally.samples[place], rate: 0.5)
                    <= AgreementSettings.falseRefusals / Double(classNames.count)
            } ?? false
        }
        for place in strays.prefix(AgreementSettings.named) {
            guard let other = mostOther(place) else { continue }
            lines.append(
                "Most samples of class \(classNames[place]) are predicted as another one: "
                    + "\(percent(Double(other.count) / Double(tally.samples[place]))) of \(tally.samples[place]) as "
                    + "\(images.classNames[other.output]).")
        }
        return lines
    }

}

extension SuggestedOrder.Kind {
    var words: String {
        switch self {
        case .caseInsensitive: "the order of the names without regard to upper and lower case"
        case .natural: "the order of the names with numbers by their value (1, 2, … 10)"
        case .numbers: "taking the numbers in the names as outputs"
        case .numbersFromOne: "taking the numbers in the names, counted from 1, as outputs"
        case .sorted: "the order of the names byte by byte"
        case .assignment: "the assignment that the predictions suggest"
        }
    }
}
