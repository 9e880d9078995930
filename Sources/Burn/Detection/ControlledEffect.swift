/// Two shares of images that land in a class, with what is under test and with what is not.
struct ControlledEffect: Hashable, Sendable {
    var rate: Double
    var control: Double
    var excess: Double { rate - control }
}
