import Support

/// What a job is refused for wherever it is looked at: at its submission, by `burnd check`, by the worker.
public enum JobRules {
    /// The fewest images of a trusted set: half of them are to measure by.
    public static let fewestTrusted = 20

    /// - Throws: `Problem` `target-class-out-of-range`.
    public static func checkTarget(_ target: Int, outputs: Int) throws {
        guard !(0..<outputs).contains(target) else { return }
        throw Problem(
            .unprocessable, code: "target-class-out-of-range",
            title: "The target class is none of the model's",
            detail: "\(target) was given; the model has outputs 0 to \(outputs - 1).",
            location: "/evaluation/target_class",
            fix: "Give the number of the attack's target among the model's outputs, or leave it out.")
    }

    /// - Throws: `Problem` `trusted-set-too-small`.
    public static func checkTrusted(images: Int) throws {
        guard images < fewestTrusted else { return }
        throw Problem(
            .unprocessable, code: "trusted-set-too-small", title: "The trusted set is too small",
            detail: "It has \(images) images; half of them are to measure by.",
            location: "/options/trusted", fix: "Give \(fewestTrusted) images or more, or leave it out.")
    }
}

extension ClassOrder {
    /// By what the folders of a set beside the training set are found: the mapping that was given, else the training set's
    /// classes by name. Such a set may lack some of them.
    /// - Parameters:
    ///   - training: the training set's classes, whose order this is.
    ///   - set: those of the other set.
    /// - Throws: `Fault` for a class that the training set doesn't have.
    public func mapping(
        for set: [DatasetSummary.ClassCount], beside training: [DatasetSummary.ClassCount],
        given: [String: Int]?
    ) throws -> [String: Int] {
        if let given { return given }
        let known = zip(training, outputs).map { (name: $0.name, output: $1) }
        let match = NameMatch(set.map(\.name), among: known)
        if let place = match.outputs.firstIndex(of: nil) {
            let names = training.prefix(20).map(\.name).joined(separator: ", ")
            throw Fault(
                isOfMapping: false, className: set[place].name,
                detail: "Its class \"\(set[place].name)\" is not one of the data set's.",
                fix:
                    "Call its classes what the data set calls them (\(names)\(training.count > 20 ? ", …" : "")), "
                    + "or map all names to outputs with options.classes (--classes FILE).")
        }
        return Dictionary(known.map { ($0.name, $0.output) }, uniquingKeysWith: { first, _ in first })
    }
}
