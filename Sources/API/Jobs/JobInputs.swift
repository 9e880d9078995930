import Findings
import Support

/// What a job is to look at, as far as it is known: all that can be said against it before a worker opens the files.
public struct JobInputs: Sendable {
    /// Sets beside the training set.
    public enum OtherSet: String, Hashable, Sendable, CaseIterable {
        case clean, triggered, trusted

        /// Where a request's body names it.
        public var location: String { self == .trusted ? "/options/trusted" : "/evaluation/\(rawValue)" }
    }

    public var model: ModelSummary
    public var dataset: DatasetSummary?
    public var others: [OtherSet: DatasetSummary] = [:]
    /// Of the evaluation.
    public var targetClass: Int?
    public var options: JobOptions

    public init(model: ModelSummary, options: JobOptions, targetClass: Int? = nil) {
        self.model = model
        self.options = options
        self.targetClass = targetClass
    }

    /// - Throws: the first of `problems`.
    public func check() throws {
        if let problem = problems.first { throw problem }
    }

    /// Located in a job request's body.
    public var problems: [Problem] { problemsOfDataset + problemsOfTarget + problemsOfOthers }

    private var problemsOfDataset: [Problem] {
        guard let dataset else { return [] }
        return OptionRules.mismatches(model: model, dataset: dataset, options: options)
    }

    private var problemsOfTarget: [Problem] {
        guard let targetClass else { return [] }
        return OptionRules.problems([{ try JobRules.checkTarget(targetClass, outputs: model.classes) }])
    }

    private var problemsOfOthers: [Problem] { OtherSet.allCases.flatMap(problems(of:)) }

    /// What is wrong with one of the sets beside the training set.
    public func problems(of other: OtherSet) -> [Problem] {
        guard let set = others[other] else { return [] }
        return OptionRules.problems([
            { try OptionRules.checkShape(model: model, dataset: set, location: other.location) },
            { try checkClasses(of: set, at: other.location) },
            { if other == .trusted { try JobRules.checkTrusted(images: set.samples) } },
        ])
    }

    /// Where the training set's own order isn't known, that is said of it alone.
    private func checkClasses(of set: DatasetSummary, at location: String) throws {
        guard let dataset,
            let order = try? OptionRules.classOrder(
                model: model, dataset: dataset, mapping: options.classes)
        else { return }
        do {
            let mapping = try order.mapping(
                for: set.classes, beside: dataset.classes, given: options.classes)
            _ = try OptionRules.classOrder(model: model, dataset: set, mapping: mapping)
        } catch let fault as ClassOrder.Fault {
            throw OptionRules.mismatch(fault.detail, fix: fault.fix, at: location)
        }
    }
}
