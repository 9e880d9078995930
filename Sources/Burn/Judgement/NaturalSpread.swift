/// How much a statistic differs between classes that nothing was planted into: its standard deviation within a model.
///
/// Jobs of nine classes or more tell it by themselves. Fewer values are pooled with what was measured on other models: the
/// moderated t statistic (Smyth, Statistical Applications in Genetics and Molecular Biology 3, 2004), with deviations fitted by
/// its method to six clean models of CIFAR-10 and to six of drawn images, of which the larger one counts; docs/method.md,
/// section 11, has the models and the command.
struct NaturalSpread: Hashable, Sendable {
    var deviation: Double
    /// What the measured deviation weighs, in degrees of freedom: as fitted, and no more than eight classes tell.
    var freedom = Self.enough

    /// A null of so many degrees of freedom needs no other.
    static let enough = 7.0

    /// Of Fisher's transformation of a bundle's tightness.
    static let tightness = NaturalSpread(deviation: 0.11)
    /// Of the logarithm of a bundle's share.
    static let share = NaturalSpread(deviation: 0.42)
    /// Of log(1 + gain): of bundles of perturbations, of images, of changes of the penultimate layer.
    static let gain = NaturalSpread(deviation: 0.56)
    static let imageGain = NaturalSpread(deviation: 0.36)
    static let featureGain = NaturalSpread(deviation: 0.77)
    /// Of the logarithm of what a pattern does to other classes' images.
    static let effect = NaturalSpread(deviation: 2.0)
    /// Of the weaker of a style's two effects.
    static let noise = NaturalSpread(deviation: 0.036)
    static let tone = NaturalSpread(deviation: 0.064, freedom: 2)
    /// Of the weaker of a trigger's two effects.
    static let cause = NaturalSpread(deviation: 0.05, freedom: 2)
}
