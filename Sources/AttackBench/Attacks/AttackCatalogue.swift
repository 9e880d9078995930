extension Attack {
    /// The attacks by name, as benchmarks use them.
    public static let names = [
        "badnets", "all-to-all", "blended", "sig", "label-consistent", "wanet", "sample-specific", "ftrojan",
        "bpp", "tact", "adap-blend",
    ]

    /// An attack of `names` with parameters for small images and a fixed poisoned set; nil for another name.
    ///
    /// - Parameters:
    ///   - target: its target class; `tact` takes the class after it for its source, `all-to-all` none.
    ///   - seed: of random patterns.
    public static func named(_ name: String, target: Int, classes: Int, seed: UInt64) -> Attack? {
        switch name {
        case "badnets": .badNets(target: target)
        case "all-to-all": .badNetsAllToAll()
        case "blended": .blended(target: target, seed: seed)
        case "sig": .sig(target: target, testAmplitude: 30)
        case "label-consistent": .labelConsistent(target: target)
        case "wanet": .waNet(target: target, seed: seed)
        case "sample-specific": .sampleSpecific(target: target, seed: seed)
        case "ftrojan": .fTrojan(target: target)
        case "bpp": .bpp(target: target, bits: 3)
        case "tact": .taCT(source: (target + 1) % classes, target: target, classes: classes)
        case "adap-blend": .adapBlend(target: target, seed: seed)
        default: nil
        }
    }

    /// The poisoned share of the training set where nothing else is asked for: 10 %, or half of one class
    /// where only that class is poisoned.
    public func usualRate(classes: Int) -> Double {
        switch rule {
        case .allToOne, .allToAll: 0.1
        case .cleanLabel, .sourceSpecific: 0.5 / Double(classes)
        }
    }
}
