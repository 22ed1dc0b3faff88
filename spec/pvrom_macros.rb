# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Two additions to AsciiDoc for this document:
#
#   [req,PVROM-ROM-1]          a paragraph that is a requirement, printed with its identifier
#   code:FILE[pattern]         a reference to code; an error if FILE has no such text
require 'asciidoctor/extensions'

module PvromMacros
  ROOT = File.expand_path '..', __dir__

  def self.squeeze(text)
    text.gsub(/\s+/, ' ').strip
  end

  # Everything but the characters that the substitutions before us have replaced.
  def self.plain(text)
    text.gsub('&lt;', '<').gsub('&gt;', '>').gsub('&amp;', '&').gsub('&#8217;', "'")
  end

  def self.found?(file, pattern)
    path = File.join ROOT, file
    File.file?(path) && squeeze(File.read(path)).include?(squeeze(pattern))
  end
end

Asciidoctor::Extensions.register do
  block :req do
    on_context :paragraph
    name_positional_attributes 'identifier'
    process do |parent, reader, attrs|
      id = attrs['identifier']
      create_paragraph parent, ["[.identifier]##<<#{id},#{id}>>## {nbsp} " + reader.lines.join(' ')],
                       'id' => id, 'role' => 'requirement'
    end
  end

  inline_macro :code do
    parse_content_as :text
    process do |parent, target, attrs|
      pattern = PvromMacros.plain attrs['text'].to_s
      unless PvromMacros.found? target, pattern
        parent.logger.error "dangling reference to code: #{target}[#{pattern}]"
      end
      create_inline parent, :quoted, "<code>#{attrs['text']}</code> (<code>#{target}</code>)"
    end
  end
end
