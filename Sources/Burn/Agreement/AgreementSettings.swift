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
    /// Classes and groups of classes that a message names; the others are counted.
    static let named = 3
    /// Classes whose whole mapping a message spells out.
    static let spelledOut = 20
}
