/// What the comparison of predictions and given labels costs, and when it is a mistake in the input.
enum AgreementSettings {
    /// Images that the model is asked about at most, whatever the size of the set: each share of a class among ten is known
    /// to 7 percentage points (95 %), and even a network of 4 billion multiply-adds takes minutes, not hours.
    static let samples = 2_048
    /// Of these, so many look for another order; the others, which are drawn afterwards, test what was found: the choice
    /// among all orders then needs no correction.
    static let exploring = samples / 2
    /// The rate at which jobs whose order fits no worse than the one that was found would be refused by chance. The order
    /// that a model was trained with fits better than any other, so that for it the rate is far lower still.
    static let falseRefusals = 0.001
    /// Images that each of the other scalings is tried on.
    static let scalingTrial = 64
    /// Images that test the best of them where it gains any.
    static let scalingTest = 512
    /// A scaling is taken for wrong where another one gains more than two images for each that it loses. Scalings that are
    /// nearly the same, and images somewhat darker or paler than those of the training, gain and lose alike.
    static let scalingRate = 2.0 / 3
    /// What a model promises beyond guessing, as a part of what it could: less is guessing too.
    static let hardlyMore = 0.1
    /// Classes and groups of classes that a message names; the others are counted.
    static let named = 3
    /// Classes whose whole mapping a message spells out.
    static let spelledOut = 20
}
