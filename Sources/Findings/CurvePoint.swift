/// One point of a series over the steps of a phase, such as the training loss.
public struct CurvePoint: Codable, Hashable, Sendable {
    public var phase: Phase
    /// 0 outside refinement; there the round, from 1.
    public var round: Int
    /// Such as `loss`, `accuracy`, `agreement`.
    public var name: String
    /// Training steps taken in the phase (and round), over all its attempts.
    public var step: Int
    public var value: Double

    public init(phase: Phase, round: Int = 0, name: String, step: Int, value: Double) {
        self.phase = phase
        self.round = round
        self.name = name
        self.step = step
        self.value = value
    }
}
