import ArgumentParser
import Findings

extension JobType: ExpressibleByArgument {}
extension JobOptions.Method: ExpressibleByArgument {
    package static let help: ArgumentHelp =
        "What looks for a backdoor and removes it: full, or published (BURN as its abstract describes it, to compare with)."
}
extension ScalingPreset: ExpressibleByArgument {}
