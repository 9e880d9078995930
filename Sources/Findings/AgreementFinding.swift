import Support

/// Whether a model and a data set belong together, as a sample of the data shows it.
public struct AgreementFinding: Codable, Hashable, Sendable {
    public var agreement: Agreement
    /// Other orders of the classes that fit better, the best first.
    public var orders: [SuggestedOrder]
    /// Another scaling that fits better.
    public var scaling: SuggestedScaling?
    /// Why a job is refused; nil where it is not.
    public var problem: Problem?
    /// What is worth knowing and no reason to refuse, in words.
    public var remarks: [String]

    public init(
        agreement: Agreement, orders: [SuggestedOrder] = [], scaling: SuggestedScaling? = nil,
        problem: Problem? = nil, remarks: [String] = []
    ) {
        self.agreement = agreement
        self.orders = orders
        self.scaling = scaling
        self.problem = problem
        self.remarks = remarks
    }
}
