// Placement: which node is to run which slot. A pure function of the view, so that all nodes come
// to the same answer without talking about it; a lease makes sure where they do not.
//
//   const auto wanted = place(view);
//   wanted.at("nightly/0");   // the NodeId that is to run it
#pragma once

#include "actors/cluster/view.hpp"

#include <map>
#include <string>

namespace millrace::actors::cluster {

/// What a person asked for comes first, then what runs stays where it is, replicas of a pipeline
/// keep apart, and the rest is spread evenly: slots move only where one node has two more than
/// another that could take one. A slot that no node can run is left out.
std::map<std::string, NodeId> place(const View& view);

}  // namespace millrace::actors::cluster
