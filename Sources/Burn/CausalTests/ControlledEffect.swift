/// Two shares of images that land in a class, with what is under test and with what is not.
struct ControlledEffect: Hashable, Sendable {
    var rate: Double
    var control: Double
    /// Images that the two are shares of.
    var tested = 0
    var controls = 0
    var excess: Double { rate - control }

    /// That the excess is chance: the two proportions, one-sided.
    var samplingPValue: Double {
        Statistics.pValue(
            of: Int((rate * Double(tested)).rounded()), of: tested,
            against: Int((control * Double(controls)).rounded()), of: controls)
    }

    /// Of one class's excess against those of the others.
    static func pValue(at index: Int, among excesses: [Double?]) -> Double? {
        // Less than nothing is nothing.
        let bounded = excesses.map { $0.map { max(0, $0) } }
        return Statistics.pValue(at: index, among: bounded, priorDeviation: deviationOfExcesses)
    }

    private static let deviationOfExcesses = 0.05
}
