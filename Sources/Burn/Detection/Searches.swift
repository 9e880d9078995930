import Support

/// The searches of a detection, which all look at the same samples. What takes a pass of all samples is prepared once, when it is
/// first needed, and serves every round.
struct Searches {
    /// What is not set aside.
    var labelled: LabelledSamples {
        didSet {
            triggers.labelled = labelled
            images?.labelled = labelled
            images?.triggers = triggers
        }
    }
    private(set) var triggers: TriggerSearch
    /// Nil for a data set too small to know its own covariance.
    private(set) var images: ImageSearch?
    private var features: FeatureSearch??
    /// The changes of the penultimate layer are known.
    var hasFeatures: Bool { features != nil }
    private var styles: [ImageStyle: StyleSearch?] = [:]

    init(_ detection: Detection) throws {
        labelled = LabelledSamples(of: detection.images)
        triggers = TriggerSearch(
            model: detection.model, images: detection.images, labelled: labelled, table: detection.table,
            store: detection.store, judge: detection.judge, seed: detection.options.methodSeed,
            token: detection.token)
        images = try detection.imageSearch(triggers)
    }

    /// Nil for a model without a penultimate layer to speak of.
    mutating func features(of detection: Detection) throws -> FeatureSearch? {
        let known = try features ?? detection.featureSearch(labelled)
        features = .some(known)
        var search = known
        search?.labelled = labelled
        return search
    }

    /// Nil for a data set too small to know its own covariance, or images too small to have the style.
    mutating func style(_ style: ImageStyle, of detection: Detection) throws -> StyleSearch? {
        let known = try styles[style] ?? detection.styleSearch(style, labelled)
        styles[style] = .some(known)
        var search = known
        search?.labelled = labelled
        return search
    }
}
