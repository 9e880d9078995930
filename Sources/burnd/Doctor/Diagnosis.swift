/// One line of what `burnd doctor` found.
struct Diagnosis: Codable, Hashable, Sendable {
    enum State: String, Codable, Sendable {
        case ok
        /// It works, with less than it could.
        case note
        /// The service, or a command, will not work.
        case fault
    }

    /// What was looked at.
    var subject: String
    var state: State
    var finding: String
    /// What to do; nil where nothing has to be done.
    var advice: String?

    static func ok(_ subject: String, _ finding: String) -> Diagnosis {
        Diagnosis(subject: subject, state: .ok, finding: finding)
    }

    static func note(_ subject: String, _ finding: String, _ advice: String) -> Diagnosis {
        Diagnosis(subject: subject, state: .note, finding: finding, advice: advice)
    }

    static func fault(_ subject: String, _ finding: String, _ advice: String) -> Diagnosis {
        Diagnosis(subject: subject, state: .fault, finding: finding, advice: advice)
    }
}
