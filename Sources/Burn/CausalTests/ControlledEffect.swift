import Foundation

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

    /// Of the excess, of two independent shares.
    var standardError: Double {
        (rate * (1 - rate) / Double(max(1, tested)) + control * (1 - control) / Double(max(1, controls)))
            .squareRoot()
    }

    /// Of one class's excess against those of the others, on a scale of ratios: what classes show by nature spreads over orders
    /// of magnitude.
    ///
    /// - Parameter tested: images that an excess is a share of. One below that of a single image counts as one image, and a factor
    ///   of e is the least that such small numbers tell.
    static func pValue(at index: Int, among excesses: [Double?], tested: Int) -> Double? {
        let least = 1 / Double(max(1, tested))
        return Statistics.pValue(
            at: index, among: excesses.map { $0.map { log(max($0, least)) } }, natural: .effect, chance: 1)
    }

    /// The same on a scale of differences, for what has to work two ways: by nature hardly anything does.
    static func pValue(at index: Int, amongBothWays excesses: [Double?], natural: NaturalSpread, tested: Int)
        -> Double?
    {
        Statistics.pValue(
            at: index, among: excesses.map { $0.map { max(0, $0) } },
            natural: natural, chance: 1 / Double(max(1, tested)).squareRoot() / 2)
    }
}
