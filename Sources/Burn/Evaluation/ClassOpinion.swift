/// Class probabilities as an opinion on what an image shows beside its trigger.
enum ClassOpinion {
    /// - Parameter probabilities: of one image, by class.
    /// - Returns: those of the classes other than `label`, as shares of all of these.
    static func apart(from label: Int, _ probabilities: some Sequence<Float>) -> [Float] {
        var others = Array(probabilities)
        others[label] = 0
        return normalised(others)
    }

    static func normalised(_ votes: [Float]) -> [Float] {
        let total = max(votes.reduce(0, +), 1e-6)
        return votes.map { $0 / total }
    }
}
