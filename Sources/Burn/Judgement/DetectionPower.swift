import Support
import Tensors

/// What could have been found in a class, measured on this job: samples of other classes are put in place of some of its
/// own, all pulled in one direction as by a trigger, and are looked for as real ones are.
///
/// The planted perturbations are those of real samples, so that half of each one's energy (1 - `cosine`²) is its own.
struct DetectionPower {
    /// The smallest number of planted samples that was noticed often enough, and in how many of the trials.
    struct Noticed: Hashable, Sendable {
        var samples: Int
        var found: Int
        var trials: Int

        /// Of a class of which some samples were looked at: so many that nine draws in ten hold as many of them.
        func drawn(_ surveyed: Int, of size: Int) -> Noticed {
            guard surveyed > 0, size > surveyed else { return self }
            let needed = Double(samples) + Self.lowerTenth * Double(samples).squareRoot()
            var all = self
            all.samples = Int((needed * Double(size) / Double(surveyed)).rounded(.up))
            return all
        }

        /// Of the normal distribution, in deviations.
        private static let lowerTenth = 1.2816
    }

    let members: [Int: [Int]]
    let store: PerturbationStore
    let null: CoherenceNull
    let judge: Judge
    let seed: UInt64
    let token: CancellationToken

    /// Samples of a class that were enough in small sets of photographs, digits and traffic signs.
    static let usuallyEnough = 20
    private static let trials = 10
    /// Samples of a class that are looked at.
    private static let mostRows = 1024
    /// Classes that are asked about: of the small ones, and of those that are not. Others are as the next smaller one.
    private static let mostSmall = 24
    private static let mostLarge = 2

    /// For each of the classes, nil where not even a half of it would have been noticed.
    /// - Parameter sizes: samples that the model predicts as each class, surveyed or not.
    func measure(_ labels: [Int], sizes: [Int: Int]) throws -> [Int: Noticed] {
        let bySize = labels.filter { members[$0] != nil }.sorted { (size($0), $0) < (size($1), $1) }
        let small = bySize.filter { size($0) < CoherenceNull.fewestOfLarge }
        let asked = Set(
            Self.spread(small, Self.mostSmall)
                + Self.spread(Array(bySize.dropFirst(small.count)), Self.mostLarge))
        var measured: [Int: Noticed] = [:]
        var last: Noticed?
        for label in bySize {
            if asked.contains(label) { last = try noticed(in: label) }
            measured[label] = last?.drawn(size(label), of: sizes[label] ?? 0)
        }
        return measured
    }

    private var fewestFound: Int {
        Int((judge.parameters.noticedShare * Double(Self.trials)).rounded(.up))
    }

    private func size(_ label: Int) -> Int { members[label]?.count ?? 0 }

    /// So many of the values, first and last among them.
    private static func spread(_ values: [Int], _ most: Int) -> [Int] {
        guard values.count > most else { return values }
        return (0..<most).map { values[$0 * (values.count - 1) / (most - 1)] }
    }

    private func noticed(in label: Int) throws -> Noticed? {
        let rows = min(size(label), Self.mostRows)
        var planted = judge.smallestGroup(of: rows)
        while 2 * planted <= rows {
            let found = try found(planted, label: label)
            if found >= fewestFound {
                return Noticed(samples: planted, found: found, trials: Self.trials)
            }
            planted += max(1, planted / 2)
        }
        return nil
    }

    /// Trials in which so many planted samples are noticed; fewer than there are once too many were missed.
    private func found(_ planted: Int, label: Int) throws -> Int {
        var found = 0
        for trial in 0..<Self.trials {
            try token.check()
            let key = SplitMix64(seed: seed, keys: UInt64(label), UInt64(planted), UInt64(trial))
            if try isNoticed(planted, label: label, random: key) { found += 1 }
            if trial - found >= Self.trials - fewestFound { break }
        }
        return found
    }

    private func isNoticed(_ planted: Int, label: Int, random: SplitMix64) throws -> Bool {
        var random = random
        let own = (members[label] ?? []).shuffled(using: &random).prefix(Self.mostRows)
        let others = members.filter { $0.key != label }.sorted { $0.key < $1.key }.flatMap(\.value)
        guard others.count >= planted else { return false }
        let chosen = random.sample(planted, outOf: others.count).map { others[$0] }
        let generator = try Generator(seed: random.next())
        let cosine = judge.parameters.plantedCosine
        let trigger = try Tensor.randn([1, store.width], generator: generator)
        let pulled =
            try trigger / trigger.norm() * cosine
            + store.rows(chosen) * (1 - cosine * cosine).squareRoot()
        let rows = try Tensor.cat([
            pulled / pulled.norm([1], keepDimensions: true), store.rows(Array(own.dropFirst(planted))),
        ])
        let bundle = try CoherentCluster.strongest(in: rows, judge.parameters, generator: generator)
        guard bundle.isDistinct(judge.parameters) else { return false }
        let pValue = null.pValue(of: bundle.strength, label: label)
        return (pValue ?? 1) < judge.unusual
    }
}
